#include "effects/changes/domain_vectors.hpp"

#include <charconv>

#include <fmt/format.h>

#include "hypervisor/config_hash.hpp"

namespace penumbra::effects {

namespace {

template <class Number>
Result<Number> number_of(const std::string& name, const std::string& text) {
    Number number{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) {
        return fail(ErrorCode::kDataLoss, fmt::format("the value '{}' of {} is not a number", text, name));
    }
    return number;
}

}  // namespace

journal::Values values_of(const hypervisor::SchedulerVector& vector) {
    journal::Values values;
    for (const auto& [name, value] : vector)
        values.emplace(name, fmt::to_string(value));
    return values;
}

Result<hypervisor::SchedulerVector> scheduler_of(const journal::Values& values) {
    hypervisor::SchedulerVector vector;
    for (const auto& [name, text] : values)
        vector.emplace(name, TRY(number_of<std::int64_t>(name, text)));
    return vector;
}

journal::Values values_of(const hypervisor::IoTuneVector& vector) {
    journal::Values values;
    for (const auto& [name, limit] : vector.limits)
        if (limit != 0) values.emplace(name, fmt::to_string(limit));
    if (!vector.group_name.empty()) values.emplace(kGroupName, vector.group_name);
    return values;
}

Result<hypervisor::IoTuneVector> iotune_of(const journal::Values& values) {
    hypervisor::IoTuneVector vector;
    for (const auto& [name, text] : values) {
        if (name == kGroupName) {
            vector.group_name = text;
        } else {
            vector.limits.emplace(name, TRY(number_of<std::uint64_t>(name, text)));
        }
    }
    return vector;
}

Result<std::string> domain_fingerprint(hypervisor::DomainTuning& tuning, const std::string& domain) {
    return TRY(hypervisor::config_hash(TRY(tuning.configuration(VmId(domain))))).hex();
}

}  // namespace penumbra::effects
