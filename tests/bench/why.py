"""Why a goal is missed, as far as it is known: printed below the table for each missed row that matches. Take a line out when its goal is
met; a missed row without a line here says so itself."""
import re

REASONS = [
    # row, words of the figure, reason
    ("P1", r"CPU", "13.9 MiB of JSON whose spellings vary are decoded and compared by content (about half), and each scope is planned anew once a "
                   "period from objects that lie packed (the rest); in an hour's period that is 0.01 % of a core"),
    ("P2", r"over W10k.*CPU|CPU", "some of each interval still walks over all scopes (is everything looked at, subscriptions, files of the folder), and a "
                                  "touched scope is unpacked, planned and compared twice: by rows and by reads"),
    ("P4", r"CPU", "the goal leaves out the documents: reading and checking them is most of it (P11)"),
    ("P4", r"wall", "Resource Graph's pages and the documents' parsing follow each other; at W100k the page of all documents dominates"),
    ("P7", r"total", "17 MiB are the pages of the program itself (10 MiB of code, 2.5 of constants, 4.5 of libraries), which count as resident while the page cache "
                     "holds them; what is live on the heap at W10k is 13 MiB"),
    ("P7", r"each object", "the live heap is below 1 KiB for each object; the rest are pages between packed values that the allocator cannot give back"),
    ("P8", r"requests", "the row adds the complete look to sixty looks at changes; in a daemon it takes the place of one of them, so 73 are 72 in an hour"),
    ("P8", r"wake-ups", "timers of the publishing loop, connections and the folder's rescan each wake by themselves"),
    ("P9", r"W100: wall", "an estate of up to 50 scopes is read resource by resource, because the index may lag: the list of versions alone takes the goal's "
                          "0.4 s of service time, after one read of the definition and before those of the versions (decision 0031)"),
    ("P9", r"peak memory", "every document's text, parsed fields and object stand in memory at once while references are checked"),
    ("P11", r"one file edited", "a look lists, reads and hashes all files and takes all objects over again; only unchanged ones are not parsed (decision 0031)"),
    ("P11", r"restart", "the journal's integrity check, last good documents and the reading of all files come before the cache can say that nothing changed"),
    ("P11", r"wall|peak memory", "parsing, schema, rules and cross references of 11,100 documents on two cores; texts stay until references are checked"),
    ("P12", r"series|size", "gallery × region and gallery × kind alone are 5,000 series with the labels that the design fixes (decision 0033)"),
]


def reason_of(row):
    for name, words, reason in REASONS:
        if row["id"] == name and re.search(words, row["what"]):
            return reason
    return "no reason is written down in tests/bench/why.py"
