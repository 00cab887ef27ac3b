#pragma once

#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace penumbra::analysis::testing {

/// Numbers that another program made: a name and its values a line, as tests/golden/analysis/*.R write them.
class GoldenNumbers {
 public:
    explicit GoldenNumbers(const std::string& file) {
        std::ifstream input(std::string(ANALYSIS_GOLDEN_DIR "/") + file);
        EXPECT_TRUE(input.is_open()) << file;
        for (std::string line; std::getline(input, line);) {
            std::istringstream words(line);
            std::string name;
            words >> name;
            for (double value = 0; words >> value;)
                numbers_[name].push_back(value);
        }
    }
    [[nodiscard]] const std::vector<double>& at(const std::string& name) const { return numbers_.at(name); }

 private:
    std::map<std::string, std::vector<double>> numbers_;
};

/// EXPECT that `got` is `wanted` to a relative error.
inline void expect_close(double got, double wanted, double relative = 1e-9) {
    EXPECT_NEAR(got, wanted, std::abs(wanted) * relative + 1e-300);
}

}  // namespace penumbra::analysis::testing
