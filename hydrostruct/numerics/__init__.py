"""Mathematics that more than one wing needs, with no physics in it."""
