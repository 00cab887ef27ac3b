#include "effects/values.hpp"

#include <algorithm>

namespace penumbra::effects {

std::string value_of(const Values& values, const std::string& name) {
    const auto found = values.find(name);
    return found == values.end() ? std::string() : found->second;
}

Names changed_names(const Values& before, const Values& after) {
    Names names;
    for (const Values* values : {&before, &after}) {
        for (const auto& [name, value] : *values)
            if (value_of(before, name) != value_of(after, name)) names.insert(name);
    }
    return names;
}

bool agree_on(const Names& names, const Values& one, const Values& other) {
    return std::ranges::all_of(names,
                               [&](const std::string& name) { return value_of(one, name) == value_of(other, name); });
}

Values with_names_of(Values values, const Names& names, const Values& source) {
    for (const std::string& name : names) {
        values.erase(name);
        if (const auto found = source.find(name); found != source.end()) values.insert(*found);
    }
    return values;
}

}  // namespace penumbra::effects
