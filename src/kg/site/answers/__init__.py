"""One way to answer: addresses and links, formats, headers, errors."""
