"""What can be installed, under which licence, and getting it whole. The only room with sockets."""
