"""From the socket to the application and back: the server, answers from memory, the release that is served."""
