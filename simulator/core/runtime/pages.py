"""Texts that images carry: nginx's welcome page and configuration.  Short facts of the images, laid out in our own words where they may be."""

from __future__ import annotations

NGINX_INDEX = """<!DOCTYPE html>
<html>
<head>
<title>Welcome to nginx!</title>
<style>
html { color-scheme: light dark; }
body { width: 35em; margin: 0 auto;
font-family: Tahoma, Verdana, Arial, sans-serif; }
</style>
</head>
<body>
<h1>Welcome to nginx!</h1>
<p>If you see this page, the nginx web server is successfully installed and
working. Further configuration is required.</p>

<p>For online documentation and support please refer to
<a href="http://nginx.org/">nginx.org</a>.<br/>
Commercial support is available at
<a href="http://nginx.com/">nginx.com</a>.</p>

<p><em>Thank you for using nginx.</em></p>
</body>
</html>
"""

NGINX_CONF = """user  nginx;
worker_processes  auto;

error_log  /var/log/nginx/error.log notice;
pid        /run/nginx.pid;

events {
    worker_connections  1024;
}

http {
    include       /etc/nginx/mime.types;
    default_type  application/octet-stream;
    log_format  main  '$remote_addr - $remote_user [$time_local] "$request" '
                      '$status $body_bytes_sent "$http_referer" '
                      '"$http_user_agent" "$http_x_forwarded_for"';
    access_log  /var/log/nginx/access.log  main;
    sendfile        on;
    keepalive_timeout  65;
    include /etc/nginx/conf.d/*.conf;
}
"""

#: conf.d/default.conf of the image: one server on 80.
NGINX_DEFAULT = """server {
    listen       80;
    listen  [::]:80;
    server_name  localhost;

    location / {
        root   /usr/share/nginx/html;
        index  index.html index.htm;
    }

    # redirect server error pages to the static page /50x.html
    error_page   500 502 503 504  /50x.html;
    location = /50x.html {
        root   /usr/share/nginx/html;
    }
}
"""
NGINX_TYPES = """types {
    text/html                html htm shtml;
    text/css                 css;
    text/xml                 xml;
    image/gif                gif;
    image/jpeg               jpeg jpg;
    application/javascript   js;
    text/plain               txt;
    image/png                png;
    image/svg+xml            svg svgz;
    image/x-icon             ico;
    application/json         json;
    application/pdf          pdf;
}
"""
NGINX_50X = """<!DOCTYPE html>
<html>
<head>
<title>Error</title>
</head>
<body>
<h1>An error occurred.</h1>
<p>Sorry, the page you are looking for is currently unavailable.<br/>
Please try again later.</p>
</body>
</html>
"""

#: Files that builds of the catalogue name by `@key`.
FILES: dict[str, str] = {
    "nginx-index": NGINX_INDEX,
    "nginx-conf": NGINX_CONF,
    "nginx-default": NGINX_DEFAULT,
    "nginx-types": NGINX_TYPES,
    "nginx-50x": NGINX_50X,
}


def nginx_error(status: int, reason: str, version: str) -> bytes:
    """nginx's built-in page for an error status; its name alone without a version (`server_tokens off`)."""
    named = f"nginx/{version}" if version else "nginx"
    return (
        f"<html>\r\n<head><title>{status} {reason}</title></head>\r\n<body>\r\n<center><h1>{status} {reason}</h1></center>\r\n"
        f"<hr><center>{named}</center>\r\n</body>\r\n</html>\r\n"
    ).encode()


def apache_error(status: int, reason: str, text: str) -> bytes:
    """Apache's built-in page for an error status."""
    return (
        '<!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML 2.0//EN">\n<html><head>\n'
        f"<title>{status} {reason}</title>\n</head><body>\n<h1>{reason}</h1>\n<p>{text}</p>\n</body></html>\n"
    ).encode()
