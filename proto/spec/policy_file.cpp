#include "proto/spec/policy_file.hpp"

#include <algorithm>
#include <cerrno>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>

#include "base/durable_file.hpp"
#include "base/limits/base.hpp"
#include "base/limits/local.hpp"
#include "base/limits/wire.hpp"
#include "proto/spec/reading.hpp"

namespace penumbra::spec {

namespace {
// What an effect's kind may be called here; a word that is none would silently allow nothing.
const std::vector<std::string_view> kKinds{"*",          "domain.iotune", "domain.cputune", "ovs.partition",
                                           "backup.job", "mirror.port"};
}  // namespace

Result<model::Policy> read_policy(std::string_view file, std::string_view toml) {
    const Document document = TRY(parse(file, toml));
    Reading reading(document);
    model::Policy policy;
    std::size_t ceiling = 0;
    reading.word("ceiling", ceiling, {"observe", "replicate", "shadow", "change"});
    policy.ceiling = static_cast<model::Ceiling>(ceiling);
    std::vector<std::string> vms;
    reading.texts("vms", vms, limits::kVmsPerHostMax);
    policy.vms = {vms.begin(), vms.end()};
    std::vector<std::string> kinds;
    reading.texts("effects", kinds, kKinds.size());
    for (const std::string& kind : kinds) {
        if (std::find(kKinds.begin(), kKinds.end(), kind) == kKinds.end()) {
            reading.refuse("effects", fmt::format("\"{}\" is not one of \"{}\"", kind.substr(0, limits::kIdBytesMax),
                                                  fmt::join(kKinds, "\", \"")));
        }
    }
    policy.effect_kinds = {kinds.begin(), kinds.end()};
    reading.flag("run_shadows", policy.may_run_shadows);
    reading.flag("plaintext_replicas", policy.plaintext_replicas);
    TRY(reading.finish());
    return policy;
}

Result<model::Policy> load_policy(const std::filesystem::path& path) {
    struct stat status{};
    if (::stat(path.c_str(), &status) != 0) return fail_errno(errno, fmt::format("reading {}", path.native()));
    if ((status.st_mode & 022U) != 0) {
        return fail(
            ErrorCode::kPermissionDenied,
            fmt::format("{} may be written by others than its owner: chmod 644 it, after a look at what it says",
                        path.native()));
    }
    return read_policy(path.native(), TRY(read_file(path, limits::kTomlBytesMax)));
}

}  // namespace penumbra::spec
