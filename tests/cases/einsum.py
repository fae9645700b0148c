"""einsum and tensordot."""

from samples import T, case, error

S = {"node": False, "ulp": 16}
for equation, *shapes in (
    ("ij,jk", (2, 3), (3, 4)),
    ("ij,jk->ki", (2, 3), (3, 4)),
    ("bij,bjk->kbi", (2, 2, 3), (2, 3, 4)),
    ("bij,bjk->bjik", (2, 2, 3), (2, 3, 4)),
    ("...ij,...jk->...ik", (2, 1, 2, 3), (5, 3, 4)),
    ("ii", (3, 3)),
    ("ii->i", (3, 3)),
    ("iij->ij", (3, 3, 2)),
    ("ij->", (2, 3)),
    ("ij->ji...", (2, 3)),
    ("i...->...", (2, 3)),
    ("i,j->ji", (2,), (3,)),
    ("i,i", (3,), (3,)),
    (",ij->ij", (), (2, 3)),
    ("...i,...i->...", (2, 3), (3,)),
    ("ij,ij->ij", (1, 3), (2, 3)),
    ("ij,ij->i", (2, 1), (2, 3)),
    ("ij,jk->ik", (2, 1), (5, 4)),
    ("a,b,c->cab", (2,), (3,), (2,)),
    ("ij,jk,kl->il", (2, 3), (3, 4), (4, 2)),
    ("bqhd,bkhd->bhqk", (1, 3, 2, 2), (1, 2, 2, 2)),
    (" i j , j k -> i k", (2, 3), (3, 2)),
    ("Ij,jk->Ik", (2, 3), (3, 2)),
    ("ij,jk->ik", (2, 0), (0, 4)),
):
    case("einsum", equation, *(T(*s) for s in shapes), **S)
case("einsum", "ij,jk", [T(2, 3), T(3, 4)], **S)
case("einsum_lists", T(2, 3), T(3, 4), fn=lambda ns, a, b: ns.einsum(a, [0, 1], b, [1, 2]), **S)
case("einsum_lists", T(2, 3), T(3, 4), fn=lambda ns, a, b: ns.einsum(a, [..., 1], b, [1, 30], [30, ...]), **S)
for equation, *shapes in (
    ("ij,jk->ii", (2, 3), (3, 4)),
    ("ij,jk->il", (2, 3), (3, 4)),
    ("ij", (2, 3, 4)),
    ("ij", (2,)),
    ("ij,jk", (2, 3)),
    ("ij,jk", (2, 3), (4, 4)),
    ("i.j", (2, 3)),
    ("i->i->i", (2,)),
    ("i1", (2, 3)),
    ("...i...", (2, 3)),
    ("ij->i....", (2, 3)),
    ("ij->i.", (2, 3)),
    ("ij,", (2, 3)),
):
    error("einsum", equation, *(T(*s) for s in shapes))
case("tensordot", T(2, 3, 4), T(3, 4, 2), **S)
case("tensordot", T(2, 3, 4), T(4, 2), 1, **S)
case("tensordot", T(2, 3), T(4), 0, **S)
case("tensordot", T(2, 3, 4), T(4, 3, 2), dims=([0, 1], [2, 1]), **S)
case("tensordot", T(2, 3, 4), T(4, 3, 2), dims=([-1], [0]), **S)
error("tensordot", T(2, 3), T(4, 3), 1)
error("tensordot", T(2, 3), T(2, 3), -1)
error("tensordot", T(2, 3), T(2, 3), dims=([0], [0, 1]))
case("adjoint", T(2, 3, 4))
case("adjoint", T(3, 4), fn=lambda ns, x: x.adjoint())
case("addmv_", T(3), T(3, 4), T(4), fn=lambda ns, x, a, b: ns.addmv_(x.clone(), a, b, beta=2, alpha=0.5))
