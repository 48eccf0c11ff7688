"""The sample estate with its dates moved to today, for the tests of what people do about retention."""
import datetime
import json
import os
import re

from harness import DEMO, gallery_id

GOLDEN = gallery_id("golden", "rg-golden-images")
TAGS = "/providers/Microsoft.Resources/tags/default"


# The sample estate is of 21 November 2026; its dates move with today, so that its ages stay.
SHIFT = datetime.datetime.now(datetime.timezone.utc).date() - datetime.date(2026, 11, 21)


def moved(day):
    """"2027-06-01" of the sample estate's time as of today."""
    return str(datetime.date.fromisoformat(day) + SHIFT)


def estate():
    with open(os.path.join(DEMO, "azure.json"), encoding="utf-8") as file:
        text = file.read()
    return json.loads(re.sub(r'("(?:publishedDate|endOfLifeDate)": *")(\d{4}-\d\d-\d\d)', lambda match: match[1] + moved(match[2]), text))


def version_path(definition, number):
    return f"{GOLDEN}/images/{definition}/versions/{number}"
