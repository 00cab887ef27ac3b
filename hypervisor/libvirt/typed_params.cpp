#include "hypervisor/libvirt/typed_params.hpp"

#include <cstdlib>

#include "base/result.hpp"

namespace penumbra::hypervisor::libvirt {

TypedParams::~TypedParams() {
    virTypedParamsFree(params_, size_);
}

void TypedParams::add_unsigned(const std::string& name, std::uint64_t value) {
    ASSERT(virTypedParamsAddULLong(&params_, &size_, &room_, name.c_str(), value) == 0);
}

void TypedParams::add_signed(const std::string& name, std::int64_t value) {
    ASSERT(virTypedParamsAddLLong(&params_, &size_, &room_, name.c_str(), value) == 0);
}

void TypedParams::add_text(const std::string& name, const std::string& value) {
    ASSERT(virTypedParamsAddString(&params_, &size_, &room_, name.c_str(), value.c_str()) == 0);
}

void TypedParams::reserve(int count) {
    ASSERT(params_ == nullptr && count >= 0);
    params_ = static_cast<virTypedParameterPtr>(std::calloc(static_cast<std::size_t>(count), sizeof *params_));
    ASSERT(params_ != nullptr || count == 0);
    size_ = count;
    room_ = count;
}

std::map<std::string, TypedValue> TypedParams::values() const {
    return values_of(params_, size_);
}

std::map<std::string, TypedValue> values_of(const virTypedParameter* params, int count) {
    std::map<std::string, TypedValue> values;
    for (int i = 0; i < count; ++i) {
        const virTypedParameter& param = params[i];
        switch (static_cast<virTypedParameterType>(param.type)) {
            case VIR_TYPED_PARAM_INT:
                values[param.field] = std::int64_t{param.value.i};
                break;
            case VIR_TYPED_PARAM_UINT:
                values[param.field] = std::uint64_t{param.value.ui};
                break;
            case VIR_TYPED_PARAM_LLONG:
                values[param.field] = std::int64_t{param.value.l};
                break;
            case VIR_TYPED_PARAM_ULLONG:
                values[param.field] = std::uint64_t{param.value.ul};
                break;
            case VIR_TYPED_PARAM_DOUBLE:
                values[param.field] = param.value.d;
                break;
            case VIR_TYPED_PARAM_BOOLEAN:
                values[param.field] = param.value.b != 0;
                break;
            case VIR_TYPED_PARAM_STRING:
                values[param.field] = std::string(param.value.s ? param.value.s : "");
                break;
        }
    }
    return values;
}

}  // namespace penumbra::hypervisor::libvirt
