"""The database: engine, transactions, tables, migrations, and nothing that knows what they mean."""
