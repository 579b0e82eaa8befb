#!/usr/bin/env python3
"""Stands before a document store and asks Pinkpaper first. No answer means no access.

What it does not do: it decides nothing, keeps no answer for the next time, and never gives more than the answer names.

    PINKPAPER_URL=http://127.0.0.1:8080 PINKPAPER_KEY=pp_... python3 pep.py STORE PERSON DOCUMENT GROUND

STORE is a folder with a file for each part of the paper (`report`, `appendix-a`). The parts that may be read are printed,
and for each other part the label that stands in its place. Exit code: 0 all of it, 3 some of it, 4 none of it, 1 no answer.
"""

import http.client
import json
import os
import pathlib
import random
import sys
import time
import urllib.parse
import uuid

TRY_SECONDS = 2.0  # for one try
ALL_SECONDS = 6.0  # for all tries together: a person waits
TRIES = 3
LARGEST = 4 << 20  # bytes of an answer

# What may be asked again: the answer did not come, or the service says that it can give none now.
AGAIN = {408, 429, 502, 503, 504}

# Duties that this program carries out itself. A system with a "share" button moves `no_onward_disclosure` up here, and
# switches the button off. A duty that stands in none of the three lists is not known, so nothing is given.
ENFORCED = {"mark_confidential"}
# Duties of whoever reads: shown with the paper.
SHOWN = {
    "client_rules",
    "declare_private_capacity",
    "discuss_only_in_private",
    "information_security_policy",
    "monitoring_officer_advice_before_release",
    "no_contact_with_proceedings_officers",
    "no_onward_disclosure",
    "no_party_political_use",
    "not_until_public",
    "use_only_for_purpose",
}
# Duties of the staff who handle the request: told to them, not to the reader.
STAFF = {
    "facts_and_options_only",
    "inform_member_of_refusal",
    "keep_request_confidential",
    "offer_to_all_groups",
    "process_only",
    "reply_within_working_days",
    "written_reasons_to_committee",
}


class NoAnswer(Exception):
    """There is no answer that can be relied on. Give nothing out."""


class Again(NoAnswer):
    """The same, but the same question may be put again after so many seconds."""

    def __init__(self, why, wait=0.0):
        super().__init__(why)
        self.wait = wait


def ask(url, key, question):
    """The answer to a question, or NoAnswer."""
    body = json.dumps(question).encode()
    # One key for all tries: a question that was answered, and whose answer was lost, is not asked a second time.
    idempotency = str(uuid.uuid4())
    until = time.monotonic() + ALL_SECONDS
    for attempt in range(1, TRIES + 1):
        try:
            return checked(once(url, key, idempotency, body, until), question)
        except Again as fault:
            wait = max(fault.wait, 0.25 * 2**attempt * random.uniform(0.5, 1.0))
            if attempt == TRIES or time.monotonic() + wait > until:
                raise
            time.sleep(wait)
    raise NoAnswer("not reached")


def once(url, key, idempotency, body, until):
    """Sends the question once; gives the body of a 200."""
    address = urllib.parse.urlsplit(url)
    kind = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
    wait = max(0.01, min(TRY_SECONDS, until - time.monotonic()))
    until = time.monotonic() + wait
    connection = kind(address.hostname, address.port, timeout=wait)
    try:
        connection.request(
            "POST",
            address.path.rstrip("/") + "/v1/decisions",
            body,
            {
                "Authorization": "Bearer " + key,
                "Content-Type": "application/json",
                "Idempotency-Key": idempotency,
                "X-Request-ID": idempotency,
            },
        )
        # http.client follows no redirect, which is as it should be: the key goes nowhere else.
        response = connection.getresponse()
        if response.status in AGAIN:
            raise Again(f"status {response.status}", seconds(response.getheader("Retry-After")))
        if response.status != 200:
            raise NoAnswer(f"status {response.status}")
        read = bytearray()
        while piece := response.read1(65536):
            read += piece
            if len(read) > LARGEST:
                raise NoAnswer("the answer is too large")
            if time.monotonic() > until:
                raise Again("the answer did not come in time")
        return bytes(read)
    except (OSError, http.client.HTTPException) as fault:
        raise Again(f"the service was not reached: {type(fault).__name__}") from fault
    finally:
        connection.close()


def seconds(header):
    """How long the service asks to be left alone."""
    return float(header) if header and header.isascii() and header.isdigit() else 0.0


def checked(text, question):
    """The answer, if it is one to this very question and in every word known here."""
    try:
        answer = json.loads(text, object_pairs_hook=each_once)
        want(answer["document"] == question["document"]["id"], "it is about another document")
        want(answer["principal"] == question["principal"], "it is about another person")
        want(answer["action"] == question["action"], "it is about another action")
        want(isinstance(answer["id"], str) and answer["id"], "it has no id")
        receipt = answer["log"]["receipt"]
        want(isinstance(receipt, str) and receipt, "it has no receipt, so it may not be on record")
        parts = {part["id"]: part["outcome"] for part in answer["parts"]}
        want(len(parts) == len(answer["parts"]) > 0, "its parts are not told apart")
        asked = question.get("parts")
        want(asked is None or set(asked) == set(parts), "it is about other parts")
        outcomes = set(parts.values())
        fits = {"allow": {"disclose"}, "redact": {"disclose", "withhold"}, "deny": {"withhold"}}
        want(fits[answer["outcome"]] == outcomes, "outcome and parts do not agree")
        duties = {duty["type"] for duty in answer["obligations"]}
        want(duties <= ENFORCED | SHOWN | STAFF, "it places a duty that is not known here")
        told = [one["text"] for one in answer["obligations"] + answer["information"]]
        labels = [part["redaction"]["label"] for part in answer["parts"] if "redaction" in part]
        want(all(isinstance(one, str) for one in told + labels), "its texts are no texts")
        return answer
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as fault:
        raise NoAnswer(f"the answer cannot be read: {type(fault).__name__}") from fault


def want(holds, why):
    if not holds:
        raise NoAnswer("the answer is refused: " + why)


def each_once(pairs):
    """A member that stands twice could be read in two ways."""
    read = dict(pairs)
    if len(read) != len(pairs):
        raise ValueError("a member stands twice")
    return read


def show(answer, store, out):
    """Prints what may be read, and what stands in place of the rest."""
    duties = {duty["type"] for duty in answer["obligations"]}
    given = any(part["outcome"] == "disclose" for part in answer["parts"])
    if given and "mark_confidential" in duties:
        print("=== CONFIDENTIAL ===", file=out)
    for part in answer["parts"]:
        if part["outcome"] == "disclose":
            # Only parts that the answer names are ever opened.
            print(f"--- {part['id']}\n{content(store, part['id'])}", file=out)
        else:
            cut = part.get("redaction", {})
            print(f"--- {part['id']}: {cut.get('label', 'Withheld')}", file=out)
    for duty in answer["obligations"]:
        if duty["type"] in SHOWN:
            print("* " + duty["text"], file=out)
    for more in answer["information"]:
        print("i " + more["text"], file=out)
    if answer["held"]:
        # A person will decide; `referral.id` is what an officer looks it up by.
        print(f"? What is withheld is with a person to decide. Reference: {answer['id']}", file=out)


def content(store, part):
    """A part's text. An id of a part is no path."""
    name = urllib.parse.quote(part, safe="")
    return pathlib.Path(store, name).read_text(encoding="utf-8")


def main(store, person, document, ground):
    question = {
        "principal": {"type": "person", "id": person},
        "action": "read",
        "document": {"id": document},
        "purpose": {"capacity": "councillor", "ground": ground},
    }
    try:
        answer = ask(os.environ["PINKPAPER_URL"], os.environ["PINKPAPER_KEY"], question)
        # All of it is made before any of it is shown.
        page = Page()
        show(answer, store, page)
    except Exception as fault:  # whatever it is: nothing is given
        why = str(fault) if isinstance(fault, NoAnswer) else type(fault).__name__
        print("pep: no access: " + why, file=sys.stderr)
        return 1
    print(page.text, end="")
    # Keep these with the paper's history: the receipt shows later that the answer was on record.
    for duty in answer["obligations"]:
        if duty["type"] in STAFF:
            print("pep: for the staff: " + duty["text"], file=sys.stderr)
    print(f"pep: decision {answer['id']} receipt {answer['log']['receipt']}", file=sys.stderr)
    return {"allow": 0, "redact": 3, "deny": 4}[answer["outcome"]]


class Page:
    text = ""

    def write(self, more):
        self.text += more


if __name__ == "__main__":
    if len(sys.argv) != 5:
        print("usage: pep.py STORE PERSON DOCUMENT GROUND", file=sys.stderr)
        sys.exit(2)
    sys.exit(main(*sys.argv[1:]))
