#include "controller/core/packed_text.h"

#include <doctest/doctest.h>

#include <random>
#include <string>

namespace galleryd {
namespace {

std::string words(int count) {
    std::string text;
    for (int i = 0; i < count; ++i) text += "targetRegion" + std::to_string(i % 7) + " ";
    return text;
}

TEST_CASE("packed text: comes out as it was, long texts smaller than they went in") {
    TextPacker packer;
    for (const int count : {0, 1, 8, 9, 10, 200, 50'000}) {
        const std::string text = words(count);
        const std::string packed = packer.pack(text);
        CHECK_MESSAGE(unpacked_text(packed) == text, count);
        CHECK(packed.size() <= text.size());
        if (count >= 200) CHECK(packed.size() < text.size() / 4);
    }
}

TEST_CASE("packed text: what was never packed is read as it is") {
    CHECK(unpacked_text("") == "");
    CHECK(unpacked_text(R"({"kind":"Gallery"})") == R"({"kind":"Gallery"})");
}

TEST_CASE("packed text: noise that does not become smaller stays as it is") {
    std::mt19937 random(7);
    std::string noise(4000, '\0');
    for (char& c : noise) c = static_cast<char>(random() % 256U);
    noise[0] = 'n';
    CHECK(TextPacker().pack(noise) == noise);
}

TEST_CASE("packed text: a frame that is cut, flipped or claims gigabytes is an error, not a text") {
    const std::string text = words(200);
    const std::string packed = TextPacker().pack(text);
    for (std::size_t length = 4; length < packed.size(); ++length)
        CHECK_FALSE(unpacked_text(packed.substr(0, length)).has_value());
    for (std::size_t at = 4; at < packed.size(); ++at) {
        std::string flipped = packed;
        flipped[at] = static_cast<char>(flipped[at] ^ 0x40);
        const auto read = unpacked_text(flipped);  // whether it is the right one, a digest says: here it must end well
        CHECK((!read || read->size() <= unpacked_bytes_max));
    }
    CHECK_FALSE(unpacked_text(std::string("\x28\xb5\x2f\xfd\xe0\xff\xff\xff\xff\xff\xff\xff\x0f", 13)).has_value());
}

}  // namespace
}  // namespace galleryd
