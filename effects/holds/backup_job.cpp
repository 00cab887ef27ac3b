#include "effects/holds/backup_job.hpp"

#include <fmt/format.h>

namespace penumbra::effects {

namespace {
constexpr const char* kJob = "job";
}

Result<Image> BackupJobHold::read(const model::EffectSpec& /*spec*/, const Site& site) {
    Image image{.live = Values{}};
    if (const auto status = TRY(control_.backup_status(VmId(site.domain))); status.has_value()) {
        image.live->emplace(kJob, status->socket.native());
    }
    return image;
}

Result<Image> BackupJobHold::intend(const model::EffectSpec& spec, const Site& site, const Image& before) {
    if (const auto job = before.live->find(kJob); job != before.live->end()) {
        return fail(ErrorCode::kConflict,
                    fmt::format("VM {} has a backup job already, at {}: wait for its end", site.domain, job->second));
    }
    return Image{.live = Values{{kJob, socket_of(spec.id).native()}}};
}

Result<void> BackupJobHold::write(const model::EffectSpec& spec, const Site& site, Layer layer, const Values& values) {
    if (layer == Layer::kPersistent) return {};
    if (values.empty()) return control_.end_backup(VmId(site.domain), socket_of(spec.id));
    if (begin_ == nullptr) {
        return fail(ErrorCode::kUnsupported, fmt::format("backup job {} is begun by the agent only", spec.id.text()));
    }
    return begin_(spec, socket_of(spec.id));
}

Result<std::string> BackupJobHold::fingerprint(const model::EffectSpec& spec, const Site& site) {
    return journal::hash_of(TRY(read(spec, site))).hex();
}

Result<Values> BackupJobHold::evidence(const model::EffectSpec& /*spec*/, const Site& site) {
    const auto status = TRY(control_.backup_status(VmId(site.domain)));
    if (!status.has_value()) return Values{};
    return Values{{"scratch_bytes", fmt::to_string(status->scratch_used.count())}};
}

}  // namespace penumbra::effects
