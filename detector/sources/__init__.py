"""Where pictures come from: streams, patrol visits, files and folders."""
