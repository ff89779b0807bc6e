"""handraise: open-source product-led sales."""
