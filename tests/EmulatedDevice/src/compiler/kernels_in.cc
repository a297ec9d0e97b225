#include "compiler/kernels_in.h"
#include <cctype>

namespace emulation {

// Comments and strings replaced by blanks, so that a word in them is no word.
static std::string without_comments(const std::string& source) {
    std::string clean = source;
    for (size_t i = 0; i < clean.size();) {
        size_t end = i + 1;
        const bool line = clean.compare(i, 2, "//") == 0, block = clean.compare(i, 2, "/*") == 0, string = clean[i] == '"';
        if (line)
            end = clean.find('\n', i);
        else if (block)
            end = clean.find("*/", i + 2) + 2;
        else if (string)
            while (end < clean.size() && clean[end++] != '"')
                if (clean[end - 1] == '\\')
                    end++;
        if (end == std::string::npos || end > clean.size() || end < i)
            end = clean.size();
        if (line || block || string)
            for (size_t at = i; at < end; at++)
                clean[at] = ' ';
        i = end;
    }
    return clean;
}

static bool is_word(char c) {
    return std::isalnum((unsigned char)c) || c == '_';
}

static size_t matching_parenthesis(const std::string& text, size_t open) {
    int depth = 0;
    for (size_t i = open; i < text.size(); i++) {
        depth += text[i] == '(' ? 1 : text[i] == ')' ? -1 : 0;
        if (depth == 0)
            return i;
    }
    return std::string::npos;
}

static bool is_attribute(const std::string& word) {
    return word == "__launch_bounds__" || word == "__maxnreg__" || word == "__cluster_dims__" || word == "__attribute__";
}

std::vector<KernelText> kernels_in(const std::string& source) {
    const std::string text = without_comments(source);
    const std::string keyword = "__global__";
    std::vector<KernelText> kernels;
    for (size_t at = text.find(keyword); at != std::string::npos; at = text.find(keyword, at)) {
        at += keyword.size();
        KernelText kernel;
        for (size_t open = text.find('(', at); open != std::string::npos; open = text.find('(', at)) {
            size_t end = open;
            while (end > at && std::isspace((unsigned char)text[end - 1]))
                end--;
            size_t begin = end;
            while (begin > at && is_word(text[begin - 1]))
                begin--;
            const std::string word = text.substr(begin, end - begin);
            const size_t close = matching_parenthesis(text, open);
            if (close == std::string::npos)
                return kernels;
            at = close + 1;
            if (word == "__launch_bounds__")
                kernel.launch_bounds = text.substr(open + 1, close - open - 1);
            if (!is_attribute(word)) {
                kernel.name = word;
                break;
            }
        }
        const size_t next = text.find_first_not_of(" \t\r\n", at);
        if (!kernel.name.empty() && next != std::string::npos && text[next] == '{')
            kernels.push_back(kernel);
    }
    return kernels;
}

}
