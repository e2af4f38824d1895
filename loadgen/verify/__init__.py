"""An independent auditor: from the bucket and the topics alone, what became of each image, and what can't be right.

It shares no code with the stages but the published names of keys and events: whoever checks books with the program
that wrote them finds nothing. `audit.verify` is the whole of it; `command` is its face on the command line.
"""
