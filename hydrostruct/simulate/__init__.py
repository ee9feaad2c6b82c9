"""The reference run: images with known truth, labelled as simulated; shares no peak, reflection or cell code."""
