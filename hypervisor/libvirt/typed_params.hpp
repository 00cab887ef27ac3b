#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>

#include "hypervisor/libvirt/handle.hpp"

namespace penumbra::hypervisor::libvirt {

using TypedValue = std::variant<std::int64_t, std::uint64_t, double, bool, std::string>;

/// libvirt's typed parameters, both ways: a growing array that is freed once. Thread-bound.
class TypedParams {
 public:
    TypedParams() = default;
    TypedParams(const TypedParams&) = delete;
    TypedParams& operator=(const TypedParams&) = delete;
    TypedParams(TypedParams&&) = delete;
    TypedParams& operator=(TypedParams&&) = delete;
    ~TypedParams();

    void add_unsigned(const std::string& name, std::uint64_t value);
    void add_signed(const std::string& name, std::int64_t value);
    void add_text(const std::string& name, const std::string& value);

    /// Room for `count` parameters that a libvirt getter fills; data() and size() are then its arguments.
    void reserve(int count);

    [[nodiscard]] virTypedParameterPtr data() noexcept { return params_; }
    [[nodiscard]] int& size() noexcept { return size_; }
    [[nodiscard]] std::map<std::string, TypedValue> values() const;

 private:
    virTypedParameterPtr params_ = nullptr;
    int size_ = 0;
    int room_ = 0;
};

/// Parameters that libvirt owns, as a map.
[[nodiscard]] std::map<std::string, TypedValue> values_of(const virTypedParameter* params, int count);

}  // namespace penumbra::hypervisor::libvirt
