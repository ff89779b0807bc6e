"""What every face that answers HTTP needs below its own addresses."""
