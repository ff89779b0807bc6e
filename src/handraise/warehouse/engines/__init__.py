"""What differs by engine, one file each behind one small protocol."""
