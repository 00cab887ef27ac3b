"""The application behind nginx in the VM `shop`: every request runs real SQL on PostgreSQL. Served by gunicorn, a connection a thread."""
import json
import re
import threading
import time
from urllib.parse import parse_qs

import psycopg2

JSON = [("Content-Type", "application/json")]
# Holds milliseconds where somebody planted a slowdown to be found; usually it is not there.
PLANTED_DELAY = "/run/shop-delay-ms"
ROUTES = []
local = threading.local()


def route(method, pattern):
    def register(function):
        ROUTES.append((method, re.compile(pattern + "$"), function))
        return function
    return register


def rows(cursor):
    names = [column.name for column in cursor.description]
    return [dict(zip(names, row)) for row in cursor]


@route("GET", "/health")
def health(cursor, query, body):
    cursor.execute("SELECT 1 AS alive")
    return "200 OK", rows(cursor)[0]


@route("GET", "/items")
def list_items(cursor, query, body):
    cursor.execute("SELECT id, name, price_cents, stock FROM items WHERE category = %s ORDER BY price_cents, id LIMIT 20 OFFSET %s",
                   (int(query.get("category", 1)), 20 * int(query.get("page", 0))))
    return "200 OK", rows(cursor)


@route("GET", r"/items/(\d+)")
def show_item(cursor, query, body, item):
    cursor.execute("SELECT i.*, (SELECT count(*) FROM orders o WHERE o.item = i.id) AS times_ordered FROM items i WHERE i.id = %s",
                   (int(item),))
    found = rows(cursor)
    return ("200 OK", found[0]) if found else ("404 Not Found", {"error": "no such item"})


@route("POST", "/orders")
def place_order(cursor, query, body):
    order = json.loads(body)
    cursor.execute("UPDATE items SET stock = stock - %(quantity)s WHERE id = %(item)s RETURNING price_cents", order)
    if cursor.rowcount == 0:
        return "404 Not Found", {"error": "no such item"}
    order["paid_cents"] = cursor.fetchone()[0] * order["quantity"]
    cursor.execute("INSERT INTO orders (item, customer, quantity, paid_cents, note)"
                   " VALUES (%(item)s, %(customer)s, %(quantity)s, %(paid_cents)s, %(note)s) RETURNING id", order)
    return "201 Created", rows(cursor)[0]


@route("GET", "/report")
def report(cursor, query, body):
    cursor.execute("SELECT i.id, i.name, sum(o.quantity) AS sold, sum(o.paid_cents) AS paid_cents"
                   " FROM items i JOIN orders o ON o.item = i.id WHERE i.category = %s"
                   " GROUP BY i.id ORDER BY paid_cents DESC LIMIT 10", (int(query.get("category", 1)),))
    return "200 OK", rows(cursor)


def planted_delay_s():
    try:
        with open(PLANTED_DELAY, encoding="ascii") as file:
            return float(file.read()) / 1000
    except OSError:
        return 0


def answer(environ):
    """One transaction a request: it is committed before the answer leaves."""
    if not hasattr(local, "connection") or local.connection.closed:
        local.connection = psycopg2.connect("dbname=shop")
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    query = {key: values[0] for key, values in parse_qs(environ.get("QUERY_STRING", "")).items()}
    for method, pattern, function in ROUTES:
        match = pattern.match(environ["PATH_INFO"])
        if match and method == environ["REQUEST_METHOD"]:
            with local.connection, local.connection.cursor() as cursor:
                return function(cursor, query, body, *match.groups())
    return "404 Not Found", {"error": "no such page"}


def application(environ, start_response):
    time.sleep(planted_delay_s())
    try:
        status, content = answer(environ)
    except (ValueError, KeyError, TypeError) as error:
        status, content = "400 Bad Request", {"error": str(error)}
    except psycopg2.Error as error:
        if hasattr(local, "connection"):
            local.connection.close()
        status, content = "503 Service Unavailable", {"error": str(error)}
    payload = json.dumps(content, default=str).encode()
    start_response(status, JSON + [("Content-Length", str(len(payload)))])
    return [payload]
