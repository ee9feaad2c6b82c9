"""Point contacts: V(I) → dI/dV → normalised → BTK → gap."""
