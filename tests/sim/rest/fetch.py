"""Gets a URL with nothing but the lab's CA, as a browser would: fetch.py URL FILE."""
import os
import ssl
import sys
import urllib.request

trust = ssl.create_default_context(cafile=os.environ["AWS_CA_BUNDLE"])
with urllib.request.urlopen(sys.argv[1], context=trust) as response, open(sys.argv[2], "wb") as file:
    file.write(response.read())
