"""What is known before any measurement: cells, phases, reflections, equations of state."""
