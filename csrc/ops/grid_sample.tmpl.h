/* grid_sample.tmpl.h: sampling at points of a grid, for one element type.  Needs T and NAME(f);
 * undefines them at its end.
 *
 * A point is reduced to taps: places in a plane and their weights, the same for all channels.
 * Along each dim there are one (nearest), two (linear) or four (cubic) of them, and those of a
 * point are their products. */

/* Taps along one dim: place or -1, weight, and derivative of the weight by the grid's number. */
typedef struct NAME(axis) {
    int n;
    int64_t at[4];
    T w[4], dw[4];
} NAME(axis);

/* Grid -1...1 to elements: to the centers of the outer ones (align), or their far edges. */
static T NAME(to_elements)(const grid *v, T x, int64_t size)
{
    return v->align ? (x + 1) * ((T)(size - 1) / 2) : (x + 1) * ((T)size / 2) - (T)0.5;
}

/* The place that stands for x under the padding; *slope: its derivative. */
static T NAME(padded)(const grid *v, T x, int64_t size, T *slope)
{
    *slope = 1;
    if (v->padding == PAD_ZEROS)
        return x;
    if (v->padding == PAD_REFLECTION) {
        T low = v->align ? 0 : (T)-0.5, span = v->align ? (T)(size - 1) : (T)size;
        if (span == 0) {
            *slope = 0;
            return 0;
        }
        T from = x - low, sign = from < 0 ? -1 : 1;
        from *= sign;
        T rest = (T)fmod(from, span);
        bool turned = fmod(floor(from / span), 2) != 0;
        *slope = turned ? -sign : sign;
        x = (turned ? span - rest : rest) + low;
    }
    T last = (T)(size - 1);
    if (!(x > 0)) { /* NaN too */
        *slope = 0;
        return 0;
    }
    if (x >= last) {
        *slope = 0;
        return last;
    }
    return x;
}

/* An integral place within 0...size - 1, else -1. */
static int64_t NAME(place)(T x, int64_t size) { return x >= 0 && x < (T)size ? (int64_t)x : -1; }

static void NAME(cubic)(T t, NAME(axis) * a)
{
    const T c = (T)-0.75;
    T far = t + 1, near = t, near2 = 1 - t, far2 = 2 - t;
    a->w[0] = ((c * far - 5 * c) * far + 8 * c) * far - 4 * c;
    a->w[1] = ((c + 2) * near - (c + 3)) * near * near + 1;
    a->w[2] = ((c + 2) * near2 - (c + 3)) * near2 * near2 + 1;
    a->w[3] = ((c * far2 - 5 * c) * far2 + 8 * c) * far2 - 4 * c;
    a->dw[0] = (3 * c * far - 10 * c) * far + 8 * c;
    a->dw[1] = (3 * (c + 2) * near - 2 * (c + 3)) * near;
    a->dw[2] = -(3 * (c + 2) * near2 - 2 * (c + 3)) * near2;
    a->dw[3] = -((3 * c * far2 - 10 * c) * far2 + 8 * c);
}

/* The integer below; x itself where it is too large to have a fraction, or NaN. */
static inline T NAME(below)(T x)
{
    const T far = (T)(1 << 30);
    if (!(x > -far && x < far))
        return x;
    T whole = (T)(int32_t)x;
    return whole > x ? whole - 1 : whole;
}

/* The nearest integer, the even one of two; x itself where it is too large to have a fraction, or
 * NaN. */
static inline T NAME(nearest)(T x)
{
    const T shift = sizeof(T) == 4 ? (T)0x1.8p23 : (T)0x1.8p52;
    return x > -shift / 2 && x < shift / 2 ? (x + shift) - shift : x;
}

static void NAME(taps_along)(const grid *v, int d, T g, NAME(axis) * a)
{
    int64_t size = v->in[d];
    T slope, unit = v->align ? (T)(size - 1) / 2 : (T)size / 2; /* elements per unit of the grid */
    T x = NAME(to_elements)(v, g, size);
    if (v->method == CUBIC) {
        T i = NAME(below)(x);
        bool nowhere = x - i != x - i; /* NaN: so is the result */
        a->n = 4;
        NAME(cubic)(x - i, a);
        for (int k = 0; k < 4; k++) {
            a->at[k] =
                nowhere ? 0 : NAME(place)(NAME(padded)(v, i + (T)(k - 1), size, &slope), size);
            a->dw[k] *= unit;
        }
        return;
    }
    x = NAME(padded)(v, x, size, &slope);
    if (v->method == NEAREST) {
        a->n = 1;
        a->at[0] = NAME(place)(NAME(nearest)(x), size);
        a->w[0] = 1;
        a->dw[0] = 0;
        return;
    }
    T i = NAME(below)(x);
    a->n = 2;
    bool nowhere = x - i != x - i;
    a->at[0] = nowhere ? 0 : NAME(place)(i, size);
    a->at[1] = nowhere ? 0 : NAME(place)(i + 1, size);
    a->w[0] = i + 1 - x;
    a->w[1] = x - i;
    a->dw[0] = -unit * slope;
    a->dw[1] = unit * slope;
}

/* Taps of a point; dw[d]: their derivatives by its d-th number. */
typedef struct NAME(point) {
    int n;
    int64_t at[16];
    T w[16], dw[3][16];
} NAME(point);

/* g: the point's numbers, that of the last dim first.  slopes: dw too. */
static void NAME(taps_of)(const grid *v, const T *g, bool slopes, NAME(point) * p)
{
    NAME(axis) a[3];
    a[0].n = 1;
    a[0].at[0] = 0;
    a[0].w[0] = 1;
    a[0].dw[0] = 0;
    for (int d = 3 - (int)v->ndim; d < 3; d++)
        NAME(taps_along)(v, d, g[2 - d], &a[d]);
    p->n = 0;
    for (int i = 0; i < a[0].n; i++)
        for (int j = 0; j < a[1].n; j++)
            for (int k = 0; k < a[2].n; k++) {
                if (a[0].at[i] < 0 || a[1].at[j] < 0 || a[2].at[k] < 0)
                    continue;
                int t = p->n++;
                p->at[t] = (a[0].at[i] * v->in[1] + a[1].at[j]) * v->in[2] + a[2].at[k];
                p->w[t] = a[2].w[k] * a[1].w[j] * a[0].w[i];
                if (!slopes)
                    continue;
                p->dw[0][t] = a[2].dw[k] * a[1].w[j] * a[0].w[i];
                p->dw[1][t] = a[2].w[k] * a[1].dw[j] * a[0].w[i];
                p->dw[2][t] = a[2].w[k] * a[1].w[j] * a[0].dw[i];
            }
}

/* taps_of for a point of a plane between four elements, or nearest to one, where most points are;
 * else returns false. */
static inline bool NAME(inside)(const grid *v, const T *g, NAME(point) * p)
{
    T x = NAME(to_elements)(v, g[0], v->in[2]), y = NAME(to_elements)(v, g[1], v->in[1]);
    if (!(x >= 0 && y >= 0 && x < (T)(v->in[2] - 1) && y < (T)(v->in[1] - 1)))
        return false;
    if (v->method == NEAREST) {
        p->at[0] = (int64_t)NAME(nearest)(y) * v->in[2] + (int64_t)NAME(nearest)(x);
        p->w[0] = 1;
        p->n = 1;
        return true;
    }
    int64_t i = (int64_t)x, j = (int64_t)y, at = j * v->in[2] + i;
    T right = x - (T)i, left = (T)i + 1 - x, low = y - (T)j, high = (T)j + 1 - y;
    p->at[0] = at, p->at[1] = at + 1, p->at[2] = at + v->in[2], p->at[3] = at + v->in[2] + 1;
    p->w[0] = left * high, p->w[1] = right * high, p->w[2] = left * low, p->w[3] = right * low;
    p->n = 4;
    return true;
}

/* One sample.  x (channels, in...), g (points, ndim), y (channels, points) */
static void NAME(sample)(const grid *v, const T *x, const T *g, T *y)
{
    NAME(point) p;
    const bool flat = v->ndim == 2 && v->method != CUBIC;
    for (int64_t i = 0; i < v->points; i++, g += v->ndim) {
        if (!(flat && NAME(inside)(v, g, &p)))
            NAME(taps_of)(v, g, false, &p);
        const T *plane = x;
        T *to = y + i;
        int64_t k = 0;
        if (p.n == 4 && sizeof(T) == 4 && p.at[1] == p.at[0] + 1 && p.at[3] == p.at[2] + 1)
            k = channels_by_four(v, p.at, (const float *)p.w, (const float *)x, (float *)to);
        plane += k * v->plane, to += k * v->points;
        if (p.n == 1) {
            for (; k < v->channels; k++, plane += v->plane, to += v->points)
                *to = plane[p.at[0]] * p.w[0];
        } else if (p.n == 4) {
            const int64_t a = p.at[0], b = p.at[1], c = p.at[2], d = p.at[3];
            const T w[4] = {p.w[0], p.w[1], p.w[2], p.w[3]};
            for (; k < v->channels; k++, plane += v->plane, to += v->points)
                *to = plane[a] * w[0] + plane[b] * w[1] + plane[c] * w[2] + plane[d] * w[3];
        }
        for (; k < v->channels; k++, plane += v->plane, to += v->points) {
            T sum = 0;
            for (int t = 0; t < p.n; t++)
                sum += plane[p.at[t]] * p.w[t];
            *to = sum;
        }
    }
}

/* dy (channels, points), dx (channels, in...) of zeros and dg (points, ndim), either NULL where
 * nobody asks. */
static void NAME(back)(const grid *v, const T *x, const T *g, const T *dy, T *dx, T *dg)
{
    NAME(point) p;
    for (int64_t i = 0; i < v->points; i++) {
        NAME(taps_of)(v, g + i * v->ndim, true, &p);
        T sum[3] = {0, 0, 0};
        for (int64_t c = 0; c < v->channels; c++) {
            T d = dy[c * v->points + i];
            if (dx)
                for (int t = 0; t < p.n; t++)
                    dx[c * v->plane + p.at[t]] += d * p.w[t];
            for (int e = 0; dg && e < v->ndim; e++)
                for (int t = 0; t < p.n; t++)
                    sum[e] += d * x[c * v->plane + p.at[t]] * p.dw[e][t];
        }
        for (int e = 0; dg && e < v->ndim; e++)
            dg[i * v->ndim + e] = sum[e];
    }
}

#undef T
#undef NAME
