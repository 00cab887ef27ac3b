#pragma once

#include <filesystem>
#include <functional>

#include "effects/effect.hpp"
#include "hypervisor/ports.hpp"

namespace penumbra::effects {

/// `backup.job`: a pull-mode backup job on a production VM while a generation is read. Beginning it is the reader's
/// work (it needs the exports); this makes it a hold, so that a dead agent leaves no job with a growing scratch disk.
class BackupJobHold final : public Effect {
 public:
    /// Begins the job that serves `socket` for this effect; penumbra-revert has none, it only ends jobs.
    using Begin = std::function<Result<void>(const model::EffectSpec&, const std::filesystem::path& socket)>;
    /// Sockets are `folder`/EFFECT.sock.
    BackupJobHold(hypervisor::BackupControl& control, std::filesystem::path folder, Begin begin = nullptr)
        : control_(control), folder_(std::move(folder)), begin_(std::move(begin)) {}

    [[nodiscard]] std::string_view kind() const override { return "backup.job"; }
    [[nodiscard]] Share share() const override { return Share::kWhole; }
    [[nodiscard]] Result<Image> read(const model::EffectSpec& spec, const Site& site) override;
    [[nodiscard]] Result<Image> intend(const model::EffectSpec& spec, const Site& site, const Image& before) override;
    [[nodiscard]] Result<void> write(const model::EffectSpec& spec, const Site& site, Layer layer,
                                     const Values& values) override;
    [[nodiscard]] Result<std::string> fingerprint(const model::EffectSpec& spec, const Site& site) override;
    [[nodiscard]] Result<Values> evidence(const model::EffectSpec& spec, const Site& site) override;

    [[nodiscard]] std::filesystem::path socket_of(const EffectId& id) const { return folder_ / (id.text() + ".sock"); }

 private:
    hypervisor::BackupControl& control_;
    std::filesystem::path folder_;
    Begin begin_;
};

}  // namespace penumbra::effects
