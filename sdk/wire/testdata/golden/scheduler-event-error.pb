B
a