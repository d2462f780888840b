"""The system of record: accounts, catalogue, stock, needs, orders, what must leave the house, who may do what."""
