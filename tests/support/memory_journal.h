#pragma once
#include <doctest/doctest.h>

#include <memory>
#include <utility>

#include "controller/adapters/journal/journal.h"

namespace galleryd {

// A journal without a file, for tests of what writes to one.
inline std::unique_ptr<Journal> memory_journal(TimePoint now) {
    journal::JournalOptions options;
    options.in_memory = true;
    options.now = now;
    auto opened = journal::open_journal(options);
    REQUIRE(opened.has_value());
    return std::move(*opened);
}

}  // namespace galleryd
