"""Cases of the operator database, a module per family."""
