"""Points followed through the footage, and dense flow between its pictures."""
