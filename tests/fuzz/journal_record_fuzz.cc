#include "controller/adapters/journal/record_text.h"
#include "controller/core/packed_text.h"
#include "controller/core/shelf.h"
#include "tests/fuzz/target.h"

// What the journal keeps as text: records, and packed documents. A damaged one is told from a whole one, never read as
// another.
namespace galleryd::fuzz {
namespace {

constexpr std::string_view frame("\x28\xb5\x2f\xfd", 4);  // of zstd (RFC 8878)

void check_record(const std::string& text) {
    const auto record = journal::parse_resource_record(text);
    if (!record) return;
    require(!record->operation_in_flight, "the operations table alone knows what is in flight");
    require(record->failures >= 0, "nothing failed less than never");
    const std::string printed = journal::print_resource_record(*record);
    const auto again = journal::parse_resource_record(printed);
    require(again.has_value(), "what is printed can be read");
    require(journal::print_resource_record(*again) == printed, "a record reads back as it was");
    const TimePoint first{std::chrono::sys_days{std::chrono::year{1} / 1 / 1}},
        behind{std::chrono::sys_days{std::chrono::year{10000} / 1 / 1}};
    for (const auto& time :
         {record->last_failure_at, record->removal_failed_at, record->deleted_at, record->written_at})
        require(!time || (*time >= first && *time < behind), "an instant of a record is one that can be printed");
}

void check_packed(std::string_view bytes) {
    const auto text = unpacked_text(bytes);
    require(!text || text->size() <= unpacked_bytes_max, "what is unpacked is bounded");
    if (!bytes.starts_with(frame)) {
        require(text && *text == bytes, "what is not packed is as it is");
        TextPacker packer;
        const std::string packed = packer.pack(bytes);
        require(packed.size() <= bytes.size(), "packing never makes longer");
        require(unpacked_text(packed) == bytes, "what is packed comes back");
        require(packer.pack(bytes) == packed, "packing twice gives the same");
    }
    require(unsqueeze(squeeze(bytes)) == bytes, "what is squeezed comes back");
    Shelf shelf;
    const std::string first = shelf.put_away(bytes);
    const std::string second = shelf.put_away(bytes.substr(bytes.size() / 2));
    require(shelf.take_out(first) == bytes && shelf.take_out(second) == bytes.substr(bytes.size() / 2),
            "a shelf gives back what was put away");
}

void run(std::string_view bytes) {
    check_record(std::string(bytes));
    check_packed(bytes);
    if (const auto text = unpacked_text(bytes); text && text->size() <= 65536) check_record(*text);
}

const Registered registered({.name = "journal_record", .run = run, .mutations = 1500});

}  // namespace
}  // namespace galleryd::fuzz
