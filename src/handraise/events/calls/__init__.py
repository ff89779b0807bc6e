"""What tracking libraries send over HTTP: each request is taken apart at the door, and each call is translated later."""
