"""What did they do? One value per person or account and signal, at as-of; one module for each category."""
