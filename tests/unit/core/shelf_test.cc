#include "controller/core/shelf.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "controller/core/packed_map.h"

namespace galleryd {

template <>
std::string Packing<std::string>::pack(const std::string& value) {
    return value + "!";
}
template <>
std::string Packing<std::string>::unpack(const std::string& bytes) {
    return bytes.substr(0, bytes.size() - 1);
}

namespace {

std::string text(int number) {
    std::string text;
    for (int i = 0; i < 40; ++i)
        text += "condition " + std::to_string(i) + " of image version " + std::to_string(number) + " is as it was; ";
    return text;
}

TEST_CASE("shelf: everything comes out as it was put away, before and after each dictionary") {
    Shelf shelf;
    std::vector<std::string> kept;
    constexpr int texts = 5000;  // beyond the last point at which it learns
    for (int i = 0; i < texts; ++i) kept.push_back(shelf.put_away(text(i)));
    for (int i = 0; i < texts; ++i) CHECK(shelf.take_out(kept[static_cast<std::size_t>(i)]) == text(i));
    CHECK(kept.back().size() * 15 < text(texts).size());
    CHECK(kept.front().size() > kept.back().size());  // there was nothing to learn from yet
}

TEST_CASE("shelf: an empty text, one larger than any dictionary, and one of every byte") {
    Shelf shelf;
    std::string large;
    for (std::size_t i = 0; large.size() < 3 * Shelf::dictionary_bytes_max; ++i) large += std::to_string(i * 7919);
    std::string bytes;
    for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
    for (int round = 0; round < 300; ++round) {
        for (const std::string& each : {std::string(), large, bytes})
            REQUIRE(shelf.take_out(shelf.put_away(each)) == each);
        if (round == 10) round = 250;
    }
    CHECK(unsqueeze(squeeze(large)) == large);
    CHECK(unsqueeze(squeeze("")).empty());
    CHECK(squeeze(large).size() < large.size());
}

TEST_CASE("shelf: a text that begins like a trained dictionary is a text") {
    Shelf shelf;
    const std::string magic("\x37\xa4\x30\xec broken", 11);
    for (int i = 0; i < 200; ++i) REQUIRE(shelf.take_out(shelf.put_away(magic)) == magic);
}

TEST_CASE("packed map: reads like a map, in the order of its keys, and its values are copies") {
    PackedMap<std::string, std::string> map;
    map.insert_or_assign("b", "two");
    map.insert_or_assign("a", "one");
    map.insert_or_assign("c", "three");
    map.insert_or_assign("b", "TWO");
    map.insert_or_assign("c", "three");
    std::string seen;
    for (const auto& [key, value] : map) seen += key + "=" + value + " ";
    CHECK(seen == "a=one b=TWO c=three ");
    CHECK(map.at("b") == "TWO");
    CHECK(map.get("c") == "three");
    CHECK(map.get("d") == std::nullopt);
    CHECK(map.find("d") == map.end());
    CHECK(map.find("a")->second == "one");
    CHECK(map.lower_bound("bb").key() == "c");
    map.erase_keys_if([](const std::string& key) { return key < "b"; });
    map.erase("nobody");
    CHECK(map.size() == 2);
    CHECK(!map.contains("a"));
    CHECK(map.bytes() > 0);
}

}  // namespace
}  // namespace galleryd
