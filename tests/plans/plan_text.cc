#include "tests/plans/plan_text.h"

#include <algorithm>
#include <cstdio>
#include <sstream>

namespace galleryd::plans {
namespace {

std::string field(const std::string& label, const std::string& value) {
    return value.empty() ? "" : " " + label + value;
}

std::string yes(bool flag) { return flag ? "true" : "false"; }

std::string money(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.2f", value);
    return text;
}

class Printer {
  public:
    std::string text;

    void line(const std::string& content) { text += content + "\n"; }

    void print(const FieldChange& change) {
        const char sign = change.op == FieldOp::add ? '+' : change.op == FieldOp::remove ? '-' : '~';
        std::string values;
        if (change.op == FieldOp::add) values = change.after;
        if (change.op == FieldOp::remove) values = change.before;
        if (change.op == FieldOp::replace) values = change.before + " -> " + change.after;
        line(std::string("  ") + sign + " " + (change.path.empty() ? "/" : change.path) + ": " + values +
             field("[", change.cause.empty() ? "" : change.cause + "]") + field("! ", change.effect) +
             field("", change.detail));
    }

    void print(const VersionWrite& write) {
        std::string regions;
        for (const TargetRegion& region : write.target_regions) {
            regions += (regions.empty() ? "" : ", ") + region.name + " x" + std::to_string(region.replicas) + " " +
                       region.storage_account_type;
            if (region.exclude_from_latest) regions += *region.exclude_from_latest ? " excluded" : " not-excluded";
            if (region.encryption) regions += " encrypted";
        }
        line("  writes: " + regions);
        line("          exclude=" + yes(write.exclude_from_latest) +
             " endOfLife=" + (write.end_of_life ? format_rfc3339(*write.end_of_life) : "none") +
             " block=" + yes(write.block_deletion_before_end_of_life) +
             " allowRegionDeletion=" + yes(write.allow_deletion_of_replicated_locations) + " default=x" +
             std::to_string(write.replica_count) + " " + write.storage_account_type + " " + write.replication_mode);
        std::string tags;
        for (const auto& [name, value] : write.tags) tags += " " + name + "=" + value;
        for (const std::string& name : write.tags_removed) tags += " -" + name;
        if (!tags.empty()) line("          tags" + tags);
    }

    void print_step(const Step& step) {
        if (const auto* s = std::get_if<CreateVersion>(&step)) print(s->write);
        if (const auto* s = std::get_if<UpdateVersion>(&step)) print(s->write);
        if (const auto* s = std::get_if<AssignRole>(&step))
            line("  assigns " + s->access.role + " to " + s->access.principal_id + " as " + s->assignment_name);
        if (const auto* s = std::get_if<ShareGallery>(&step)) {
            std::string ids;
            for (const std::string& id : s->subscription_ids) ids += " subscription " + id;
            for (const std::string& id : s->tenant_ids) ids += " tenant " + id;
            line("  share " + s->operation + ids);
        }
    }

    void print(const Change& change) {
        line(std::string(to_string(change.action)) + " " + change.kind + " " + change.address + " (" + change.reason +
             field("by ", change.rule) + ")" +
             (change.risk == Risk::none ? "" : " risk=" + std::string(to_string(change.risk))) +
             (change.destructive ? " destructive" : "") + (change.reversible ? "" : " irreversible"));
        if (!change.why.empty()) line("  why: " + change.why);
        for (const FieldChange& one : change.fields) print(one);
        print_step(change.step);
        if (!change.follow_up.empty()) line("  later: " + change.follow_up);
    }

    void print(const BlockReason& reason) {
        line("  " + (reason.interlock_point == 0 ? std::string("-") : std::to_string(reason.interlock_point)) + " " +
             reason.reason + " " + reason.condition + ": " + without_digest(reason.message) +
             field("| ", without_digest(reason.way_out)));
    }

    void print(const Blocked& blocked) {
        line("blocked " + std::string(to_string(blocked.action)) + " " + blocked.kind + " " + blocked.address +
             field("by ", blocked.rule));
        for (const BlockReason& reason : blocked.reasons) print(reason);
        for (const auto& [name, value] : blocked.evidence) {
            if (name != "digest") line("  evidence " + name + ": " + value);
        }
    }

    void print(const Conflict& conflict) {
        line("conflict " + conflict.kind + " " + conflict.address + " " + conflict.code + " " + conflict.reason + " " +
             conflict.path +
             (conflict.before.empty() && conflict.after.empty() ? ""
                                                                : ": " + conflict.before + " -> " + conflict.after));
        line("  " + conflict.message);
        for (const std::string& way : conflict.ways_out) line("  either " + way);
    }

    void print(const VersionVerdict& verdict) {
        line("verdict " + verdict.version + " " + verdict.state +
             (verdict.rank ? " rank " + std::to_string(*verdict.rank) : "") + field("tier ", verdict.tier) + " " +
             (verdict.candidate ? "delete" : "keep") + field("by ", verdict.rule) + ": " + verdict.text +
             (verdict.delete_after ? "; not before " + format_rfc3339(*verdict.delete_after) : ""));
        for (const BlockReason& reason : verdict.blocked_by)
            line("  blocked by " + reason.condition + " (" + reason.reason + ")");
    }

  private:
    static std::string without_digest(std::string message) {
        for (auto at = message.find("sha256:"); at != std::string::npos; at = message.find("sha256:", at))
            message.replace(at, 7 + 64, "DIGEST");
        return message;
    }
};

}  // namespace

std::string print_plan(const Plan& plan, const Case& test) {
    Printer out;
    for (const Change& change : plan.changes) out.print(change);
    for (const Blocked& blocked : plan.blocked) out.print(blocked);
    for (const Conflict& conflict : plan.conflicts) out.print(conflict);
    for (const std::string& address : plan.waiting) out.line("waiting " + address);
    for (const LaterCreation& creation : plan.later)
        out.line("later create " + creation.kind + " " + creation.address + " after " + creation.after);
    for (const std::string& notice : plan.notices) out.line("notice " + notice);
    if (out.text.empty()) out.line("No changes.");
    if (!plan.deletions_digest.empty()) out.line("deletions wait for approval or go");
    if (test.shows("verdicts")) {
        for (const VersionVerdict& verdict : plan.verdicts) out.print(verdict);
    }
    if (test.shows("regions")) {
        for (const auto& [address, regions] : plan.regions) {
            for (const RegionStatus& region : regions) {
                out.line("region " + address + " " + region.name + " wanted " + std::to_string(region.wanted) +
                         " observed " + std::to_string(region.observed) + " " + std::string(to_string(region.state)) +
                         " " + std::to_string(region.progress) + "%" + field("", region.detail));
            }
        }
    }
    if (test.shows("latest")) {
        out.line("latest " + plan.latest.value_or("none"));
        for (const auto& [region, version] : plan.latest_per_region) out.line("latest in " + region + " " + version);
    }
    if (test.shows("cost")) {
        out.line("cost " + money(plan.cost.before) + " -> " + money(plan.cost.after) + " a month, " +
                 money(plan.cost.one_time) + " once" + (plan.cost.upper_bound ? ", upper bound" : ""));
    }
    return out.text;
}

std::string line_diff(const std::string& expected, const std::string& actual) {
    const auto lines = [](const std::string& text) {
        std::vector<std::string> all;
        std::istringstream in(text);
        for (std::string line; std::getline(in, line);) all.push_back(line);
        return all;
    };
    const std::vector<std::string> a = lines(expected), b = lines(actual);
    std::vector<std::vector<std::size_t>> common(a.size() + 1, std::vector<std::size_t>(b.size() + 1, 0));
    for (std::size_t i = a.size(); i-- > 0;) {
        for (std::size_t j = b.size(); j-- > 0;) {
            common[i][j] = a[i] == b[j] ? common[i + 1][j + 1] + 1 : std::max(common[i + 1][j], common[i][j + 1]);
        }
    }
    std::string text;
    std::size_t i = 0, j = 0;
    while (i < a.size() || j < b.size()) {
        if (i < a.size() && j < b.size() && a[i] == b[j]) {
            text += "  " + a[i++] + "\n";
            ++j;
        } else if (j >= b.size() || (i < a.size() && common[i + 1][j] >= common[i][j + 1])) {
            text += "- " + a[i++] + "\n";
        } else {
            text += "+ " + b[j++] + "\n";
        }
    }
    return text;
}

}  // namespace galleryd::plans
