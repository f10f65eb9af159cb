"""What one process holds of a release, and what it looks up there: names, evidence, schema, texts, the index."""
