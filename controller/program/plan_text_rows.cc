#include "controller/program/plan_text_rows.h"

#include <algorithm>
#include <map>
#include <ostream>
#include <set>

namespace galleryd {
namespace {

constexpr std::size_t name_width = 40, action_width = 22, label_width = 10, line_width = 110;

std::string padded(std::string text, std::size_t width) {
    if (text.size() < width) text.append(width - text.size(), ' ');
    return text;
}

std::string location_text(const SourceLocation& where) {
    if (where.file.empty()) return {};
    return where.line > 0 ? where.file + ":" + std::to_string(where.line) : where.file;
}

std::string action_text(const Change& change) {
    switch (change.action) {
        case Action::update: return "update in place";
        case Action::mark: return "mark for deletion";
        case Action::unmark: return "take the mark off";
        case Action::assign: return "assign role";
        case Action::unassign: return "take role away";
        default: break;
    }
    if (const auto* share = std::get_if<ShareGallery>(&change.step)) {
        if (share->operation == "Add") return "share";
        if (share->operation == "Remove") return "stop sharing";
        if (share->operation == "Reset") return "make private";
        return "make public";
    }
    return std::string(to_string(change.action));
}

// '-' is for what takes something away, whatever the request is called.
char glyph_of(const Change& change) {
    if (change.action == Action::remove || change.action == Action::unassign) return '-';
    if (change.action == Action::share) return change.destructive ? '-' : '+';
    return change.action == Action::create || change.action == Action::assign ? '+' : '~';
}

std::string source_text(const ImageSource& source) {
    switch (source.type) {
        case SourceType::managed_image: return "managed image " + source.id.name();
        case SourceType::virtual_machine: return "virtual machine " + source.id.name();
        case SourceType::gallery_image_version: {
            const auto definition = source.id.parent();
            return "image version " + (definition ? definition->name() + "/" : "") + source.id.name();
        }
        case SourceType::community_gallery_image: return "community image " + source.id.text();
        case SourceType::os_disk: {
            const std::string disk = source.vhd_uri.empty() ? "disk " + source.id.name() : "VHD " + source.vhd_uri;
            return disk + (source.data_disks.empty() ? "" : " and " + plural(source.data_disks.size(), "data disk"));
        }
        case SourceType::none: break;
    }
    return {};
}

std::string region_text(const TargetRegion& region) {
    std::string text = region.name + " x" + std::to_string(region.replicas);
    if (region.storage_account_type != "Standard_LRS") text += " " + region.storage_account_type;
    return text;
}

std::string duration_text(std::int64_t seconds) {
    if (seconds < 90) return "a minute";
    if (seconds < 2 * 3600) return std::to_string((seconds + 30) / 60) + " min";
    return std::to_string((seconds + 1800) / 3600) + " h";
}

constexpr std::string_view region_prefix = "/targetRegions/";

// "/targetRegions/eastus/replicas" -> "eastus"; "/tags/environment" -> "tags/environment".
std::string label_of(const FieldChange& field) {
    std::string path = field.path;
    if (path.starts_with(region_prefix)) {
        path = path.substr(region_prefix.size());
        if (path.ends_with("/replicas")) path.resize(path.size() - std::string_view("/replicas").size());
        return path;
    }
    return path.starts_with('/') ? path.substr(1) : path;
}

std::string counted(const FieldChange& field, const std::string& text) {
    const bool is_count = field.path.ends_with("/replicas") && !text.empty() &&
                          std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
    return is_count ? "x" + text : text;
}

std::string effect_text(const FieldChange& field) {
    if (field.effect.empty()) return {};
    const std::string region = field.path.starts_with(region_prefix) ? " in " + label_of(field) : "";
    if (field.effect == "latest_falls_back")
        return "! latest" + region + " falls back to " + (field.detail.empty() ? "none" : field.detail);
    if (field.effect == "latest_moves") return "! latest" + region + " becomes " + field.detail;
    if (field.effect == "access_lost")
        return "! access is lost" + (field.detail.empty() ? "" : " (" + field.detail + ")");
    if (field.effect == "deletions_become_final") return "! later deletions cannot be undone";
    if (field.effect == "public") return "! everybody in Azure can see it";
    std::string words = field.effect;
    std::ranges::replace(words, '_', ' ');
    return "! " + words + (field.detail.empty() ? "" : ": " + field.detail);
}

// Regions with the same effect in one line: "becomes 1.8.0" -> " in eastus, westeurope".
std::map<std::string, std::string> latest_effects(const Change& change) {
    std::map<std::string, std::string> effects;
    for (const FieldChange& field : change.fields) {
        if (!field.effect.starts_with("latest_")) continue;
        const std::string detail = field.detail.empty() ? "none" : field.detail;
        std::string& where = effects[(field.effect == "latest_moves" ? "becomes " : "falls back to ") + detail];
        if (field.path.starts_with(region_prefix)) where += (where.empty() ? " in " : ", ") + label_of(field);
    }
    return effects;
}

// What can be taken back once it is done; only said where something goes away.
std::string undo_text(const Change& change) {
    if (!change.destructive) return {};
    if (!change.reversible) return "not possible";
    if (change.action == Action::remove) return "Azure can restore it while the gallery's soft delete keeps it";
    return "put it back in the manifest";
}

}  // namespace

void Rows::head(std::ostream& out, char glyph, Colour colour, const std::string& what, const std::string& action,
                const SourceLocation& where) const {
    const char* start = "";
    switch (colour) {
        case Colour::green: start = "\x1b[32m"; break;
        case Colour::yellow: start = "\x1b[33m"; break;
        case Colour::red: start = "\x1b[31m"; break;
        case Colour::dim: start = "\x1b[2m"; break;
        case Colour::none: break;
    }
    const bool coloured = options_.colour && colour != Colour::none;
    const std::string place = printable(location_text(where));
    out << (coloured ? start : "") << "  " << glyph << " " << padded(printable(what), name_width) << "  "
        << (place.empty() ? action : padded(action, action_width) + "  " + place) << (coloured ? "\x1b[0m" : "")
        << "\n";
}

void Rows::detail(std::ostream& out, const char* label, const std::string& text) const {
    if (text.empty()) return;
    out << "      " << padded(label, label_width) << printable(text) << "\n";
}

std::string Rows::name_of(const std::string& kind, const std::string& address, const ResourceId& id) const {
    std::string name = !prefix_.empty() && address.starts_with(prefix_) ? address.substr(prefix_.size()) : address;
    if (kind == "ResourceGroup" || kind == "StorageAccount") name = id.name();
    return kind + " " + name;
}

void Rows::creation(std::ostream& out, const Change& change) const {
    const auto* create = std::get_if<CreateVersion>(&change.step);
    if (create == nullptr) return fields(out, change);
    const VersionWrite& write = create->write;
    if (write.source) detail(out, "from", source_text(*write.source));
    std::string regions;
    for (const TargetRegion& region : write.target_regions) {
        const std::string text = region_text(region);
        if (!options_.wide && regions.size() + text.size() > line_width - 16) {
            detail(out, "regions", regions);
            regions.clear();
        }
        regions += (regions.empty() ? "" : "  ") + text;
    }
    detail(out, "regions", regions);
    const auto held =
        std::ranges::find_if(change.fields, [](const FieldChange& field) { return field.cause == "hold_latest"; });
    if (held != change.fields.end()) {
        const std::size_t wanted = write.target_regions.size();
        detail(out, "latest",
               "held back until " +
                   (wanted == 1 ? std::string("its region is") : "all " + std::to_string(wanted) + " regions are") +
                   " Completed");
    }
    for (const auto& [effect, where] : latest_effects(change)) detail(out, "latest", effect + where);
}

void Rows::fields(std::ostream& out, const Change& change) const {
    std::size_t width = 14;
    for (const FieldChange& field : change.fields) width = std::max(width, label_of(field).size());
    for (const FieldChange& field : change.fields) {
        const char glyph = field.op == FieldOp::add ? '+' : field.op == FieldOp::remove ? '-' : '~';
        const std::string before = value(counted(field, field.before)), after = value(counted(field, field.after));
        std::string text = field.op == FieldOp::add ? after : before;
        if (field.op == FieldOp::replace)
            text = (before.empty() ? "(none)" : before) + " -> " + (after.empty() ? "(none)" : after);
        const std::string effect = printable(effect_text(field));
        if (!effect.empty()) text = padded(text, 8) + " " + effect;
        out << "      " << glyph << " " << printable(padded(label_of(field), width)) << " " << text << "\n";
    }
}

void Rows::change(std::ostream& out, const Change& change) const {
    const bool takes_away = change.action == Action::remove || change.action == Action::unassign ||
                            (change.action == Action::share && change.destructive);
    if (options_.summary_only && !change.destructive && change.action != Action::remove) return;
    const Colour colour = takes_away ? Colour::red : glyph_of(change) == '+' ? Colour::green : Colour::yellow;
    head(out, glyph_of(change), colour, name_of(change.kind, change.address, change.arm_id), action_text(change),
         change.manifest);
    if (options_.summary_only) return;
    if (change.action == Action::create) {
        creation(out, change);
    } else {
        fields(out, change);
    }
    detail(out, "why", change.rule.empty() ? change.why : change.why + " (" + change.rule + ")");
    if (change.estimate.ready_seconds)
        detail(out, "ready in", "about " + duration_text(*change.estimate.ready_seconds));
    detail(out, "undo", undo_text(change));
    detail(out, "then", change.follow_up.starts_with("then ") ? change.follow_up.substr(5) : change.follow_up);
}

void Rows::blocked(std::ostream& out, const Blocked& blocked) const {
    if (options_.summary_only && blocked.action != Action::remove) return;
    std::string action = "blocked: ";
    std::set<std::string> named;
    for (const BlockReason& reason : blocked.reasons) {
        if (named.insert(reason.reason).second) action += (named.size() > 1 ? ", " : "") + reason.reason;
    }
    head(out, '=', Colour::dim, name_of(blocked.kind, blocked.address, blocked.arm_id), action, blocked.manifest);
    if (options_.summary_only) return;
    detail(out, "would",
           std::string(to_string(blocked.action)) + (blocked.rule.empty() ? "" : " (" + blocked.rule + ")"));
    for (const BlockReason& reason : blocked.reasons) {
        detail(out, "by", reason.message);
        detail(out, "do", reason.way_out);
    }
    for (const auto& [field, text] : blocked.evidence) {
        if (field.starts_with('/')) detail(out, "field", field.substr(1) + " " + value(text));
    }
}

void Rows::conflict(std::ostream& out, const Conflict& conflict) const {
    if (options_.summary_only) return;
    head(out, 'x', Colour::red, name_of(conflict.kind, conflict.address, conflict.arm_id), "conflict",
         conflict.manifest);
    out << "      " << printable(conflict.message) << "\n";
    std::string ways;
    for (const std::string& way : conflict.ways_out) ways += (ways.empty() ? "" : ", or ") + way;
    const std::string explain = conflict.code.empty() ? "" : "galleryd explain " + conflict.code;
    detail(out, "do", ways.empty() ? explain : ways + (explain.empty() ? "" : "       " + explain));
}

void Rows::later(std::ostream& out, const Plan& plan, const LaterCreation& creation) const {
    if (options_.summary_only) return;
    head(out, '+', Colour::green, name_of(creation.kind, creation.address, {}), "create later", creation.manifest);
    detail(out, "after", creation.after);
    std::string regions;
    const auto found = plan.regions.find(creation.address);
    if (found == plan.regions.end()) return;
    for (const RegionStatus& region : found->second) {
        if (region.wanted > 0)
            regions += (regions.empty() ? "" : "  ") + region.name + " x" + std::to_string(region.wanted);
    }
    detail(out, "regions", regions);
}

void Rows::waiting(std::ostream& out, const Plan& plan, const std::string& address) const {
    const std::string name =
        !prefix_.empty() && address.starts_with(prefix_) ? address.substr(prefix_.size()) : address;
    const auto found = plan.regions.find(address);
    std::size_t done = 0, wanted = 0;
    std::string open;
    if (found != plan.regions.end()) {
        for (const RegionStatus& region : found->second) {
            if (region.wanted == 0) continue;
            ++wanted;
            if (region.state == ReplicationState::completed) {
                ++done;
            } else {
                open += (open.empty() ? "" : "  ") + region.name + " " +
                        (region.state == ReplicationState::failed ? "failed" : std::to_string(region.progress) + "%");
            }
        }
    }
    head(out, '.', Colour::none, name,
         wanted > 0 ? "in progress: " + std::to_string(done) + " of " + plural(wanted, "region") : "in progress",
         SourceLocation{});
    if (!options_.summary_only) detail(out, "regions", open);
}

}  // namespace galleryd
