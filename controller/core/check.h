#pragma once

// GALLERYD_CHECK(condition, "text"): aborts, also in release builds. Only for states that no input and no server can
// cause.
namespace galleryd {
[[noreturn]] void check_failed(const char* condition, const char* text, const char* file, int line);
}

#define GALLERYD_CHECK(condition, text) \
    ((condition) ? static_cast<void>(0) : ::galleryd::check_failed(#condition, text, __FILE__, __LINE__))
