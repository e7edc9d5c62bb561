"""Results: sweeps over many settings, the tables that they leave, and the pictures and pages drawn from them."""
