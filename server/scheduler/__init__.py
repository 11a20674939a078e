"""The program that turns slots into plans ahead of time and notices what is late or missed."""
