"""The one way out to addresses that somebody typed: checked before they are called, and called as they were checked."""
