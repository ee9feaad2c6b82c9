"""R(T) → Tc; V(I) → Ic; Ic(T) → pinning; van der Pauw; Tc against pressure."""
