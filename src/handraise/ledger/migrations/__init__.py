"""How an older ledger becomes the present one; each revision is history and is never edited."""
