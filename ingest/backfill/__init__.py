"""History from files into the journal: it trains and fills the series, and never orders."""
