#include <algorithm>

#include "controller/core/image_version_number.h"
#include "controller/core/policy.h"
#include "controller/core/region.h"
#include "controller/core/resource_id.h"
#include "controller/core/tags.h"
#include "controller/core/usage.h"
#include "tests/fuzz/target.h"

// Names: resource ids, references to images, regions, version numbers, owner tags. Whatever a manifest, a tag or an
// answer calls something, it cannot leave its place in a path and is not mistaken for another.
namespace galleryd::fuzz {
namespace {

bool is_safe_in_a_path(std::string_view text) {
    return std::ranges::none_of(text, [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte <= 0x20 || byte >= 0x7f || c == '?' || c == '#' || c == '%' || c == '\\';
    });
}

void check_id(std::string_view bytes) {
    const auto id = parse_resource_id(bytes);
    if (!id) return;
    require(id->text() == bytes, "an id keeps its spelling");
    require(is_safe_in_a_path(id->text()), "an id fits into a path as it is");
    require(!id->text().contains("//") && !(id->text() + "/").contains("/../") && !(id->text() + "/").contains("/./"),
            "an id does not climb");
    const auto folded = parse_resource_id(fold_case(bytes));
    require(folded && *folded == *id && folded->key() == id->key() && folded->key() == folded->text(),
            "ids compare without case");
    require(!id->subscription().empty(), "an id is of a subscription");
    require(id->text().ends_with("/" + id->name()) && !id->name().empty(), "an id ends with its name");
    if (const auto parent = id->parent()) {
        require(parse_resource_id(parent->text()).has_value(), "a parent is an id");
        require(id->text().starts_with(parent->text() + "/"), "a child is below its parent");
        require(parent->subscription() == id->subscription(), "a parent is of the same subscription");
    }
}

void check_reference(std::string_view bytes) {
    const std::map<std::string, ResourceId> names{{"golden-unique", gallery_id("s", "g", "golden")}};
    const auto reference = parse_image_reference(bytes, names);
    if (!reference) return;
    require(!reference->definition.empty(), "a reference names a definition");
    const auto users = users_from({.kind = UserKind::virtual_machine,
                                   .id = gallery_id("s", "g", "machine"),
                                   .region = "eastus",
                                   .image = std::string(bytes),
                                   .exact = "1.0.0"},
                                  names);
    require(!users.empty() && users.size() <= 2, "a machine that names an image uses one or two");
}

void check_number(std::string_view bytes) {
    const auto number = parse_image_version_number(bytes);
    if (!number) return;
    require(to_string(*number) == bytes, "a version number has one spelling");
    for (const std::uint32_t part : {number->major_number, number->minor_number, number->patch_number})
        require(part <= 2147483647U, "each part fits into 31 bits");
    if (number->patch_number > 0) {
        const ImageVersionNumber before{number->major_number, number->minor_number, number->patch_number - 1};
        require(before < *number, "version numbers compare as numbers");
    }
}

void check_region(std::string_view bytes) {
    const std::string region = normalise_region(bytes);
    require(normalise_region(region) == region, "the short form stays as it is");
    require(fold_case(region) == region && !region.contains(' '), "the short form has no blanks and no capitals");
    require(region.size() <= bytes.size(), "the short form is no longer");
    require(normalise_region(region_display_name(region)) == region, "the display name means the same region");
    if (const auto suggested = suggest_region(bytes.substr(0, 64)))
        require(is_known_region(*suggested), "a suggestion is a region");
}

void check_tags(std::string_view bytes) {
    const std::string text(bytes);
    const auto owner = parse_owner_tag(text);
    if (owner) {
        require(owner->instance + "/" + owner->kind + "/" + owner->namespace_name + "/" + owner->name == text,
                "an owner tag has one reading");
    }
    const std::size_t middle = bytes.size() / 2;
    const std::string name(bytes.substr(0, middle)), value(bytes.substr(middle));
    const ObservedTags observed{{fold_case(name), value}, {"Env", "prod"}, {"null", std::nullopt}};
    require(has_tag(observed, name) && has_tag(observed, "ENV"), "tags are found without case");
    const auto gone = tags_to_take_away({{name, value}}, {}, observed);
    const bool is_ours = fold_case(name).starts_with("galleryd-");
    require(is_ours ? gone.empty() : gone.size() <= 1, "only a tag that we wrote is taken away, and never an owner");
    require(tags_to_take_away({{name, value}}, {{fold_case(name), "x"}}, observed).empty(), "a wanted tag stays");
}

void run(std::string_view bytes) {
    check_id(bytes);
    const ResourceId any{std::string(bytes)};  // an answer may hold anything: asking it questions is safe
    require(any.type().size() <= 2 * bytes.size() + 1 && any.resource_group().size() <= bytes.size(),
            "parts are parts");
    if (const auto parent = any.parent()) require(parent->text().size() <= bytes.size() + 1, "a parent is shorter");
    check_reference(bytes);
    check_number(bytes);
    check_region(bytes);
    check_tags(bytes);
}

const Registered registered({.name = "resource_id", .run = run});

}  // namespace
}  // namespace galleryd::fuzz
