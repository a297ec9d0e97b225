#include "compiler/host_compiler.h"
#include <cstdio>
#include <cstdlib>
#include <dlfcn.h>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#include "compiler/kernels_in.h"
#include "faults/fault.h"

extern char** environ;

namespace emulation {

namespace fs = std::filesystem;

// A folder that goes with its object.
struct WorkFolder {
    fs::path path;

    WorkFolder() {
        std::string name = (fs::temp_directory_path() / "xc2-emulated-XXXXXX").string();
        if (mkdtemp(name.data()) != nullptr)
            path = name;
    }

    ~WorkFolder() {
        std::error_code ignored;
        if (!path.empty() && std::getenv("XC2_EMULATED_KEEP") == nullptr)
            fs::remove_all(path, ignored);
    }
};

static fs::path library_file() {
    Dl_info information{};
    dladdr((void*)&build_identity, &information);
    return fs::absolute(information.dli_fname);
}

static std::string content_of(const fs::path& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

static void write_file(const fs::path& file, const std::string& content) {
    fs::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << content;
}

// Runs g++ in the folder; what it says goes to the file "log".
static bool run_compiler(const fs::path& folder, const std::vector<std::string>& arguments, std::string& log) {
    std::vector<std::string> words = {"g++"};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> argv;
    for (std::string& word : words)
        argv.push_back(word.data());
    argv.push_back(nullptr);
    const std::string log_file = (folder / "log").string();
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addchdir_np(&actions, folder.c_str());
    posix_spawn_file_actions_addopen(&actions, 1, log_file.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_adddup2(&actions, 1, 2);
    pid_t child = 0;
    const int error = posix_spawnp(&child, "g++", &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0) {
        log = "the emulated compiler needs g++, which could not be started";
        return false;
    }
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {}
    log += content_of(log_file);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void replace_all(std::string& text, const std::string& from, const std::string& to) {
    for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
        text.replace(at, from.size(), to);
}

// The source with its name, and behind it the table of its kernels.
static std::string with_registration(const KernelSource& source) {
    std::string text = "# 1 \"" + source.name + "\"\n" + source.text + "\n#include \"emulated/registration.h\"\n";
    std::string list;
    for (const KernelText& kernel : kernels_in(source.text)) {
        text += "EMULATED_KERNEL(" + kernel.name + (kernel.launch_bounds.empty() ? "" : ", " + kernel.launch_bounds) + ")\n";
        list += (list.empty() ? "&emulated_kernel_" : ", &emulated_kernel_") + kernel.name;
    }
    if (!list.empty())
        text += "EMULATED_KERNELS(" + list + ")\n";
    return text;
}

// A header of ours replaces the one of the same name: those of the source are written only where there is none.
static void write_headers(const fs::path& folder, const fs::path& ours, const KernelSource& source) {
    fs::create_directories(folder / "include");
    for (const auto& [name, text] : source.headers)
        if (!fs::exists(ours / name))
            write_file(folder / "include" / name, text);
}

static std::vector<std::string> preprocessor_arguments(const fs::path& ours, const CompilerOptions& options) {
    std::vector<std::string> arguments = {"-E", "-x", "c++", "-std=c++17", "-nostdinc", "-w", "main.cu", "-o", "main.ii",
                                          "-include", "emulated/prelude.h", "-I" + ours.string(), "-Iinclude"};
    for (const std::string& folder : options.include_folders)
        arguments.push_back("-I" + fs::absolute(folder).string());
    arguments.push_back("-D__CUDA_ARCH__=" + std::to_string(options.architecture * 10));
    arguments.push_back("-D__CUDACC_VER_MAJOR__=12");
    if (options.accelerated)
        arguments.push_back("-D__CUDA_ARCH_FEAT_SM" + std::to_string(options.architecture) + "_ALL");
    if (options.fast_math)
        arguments.push_back("-D__USE_FAST_MATH__");
    for (const std::string& definition : options.definitions)
        arguments.push_back("-D" + definition);
    return arguments;
}

// No contraction: the same sums on every machine. Not linked with the sanitizers' libraries: this library answers their calls.
static std::vector<std::string> object_arguments(const fs::path& folder, bool watched) {
    const fs::path library = library_file();
    std::vector<std::string> arguments = {
        "-x", "c++-cpp-output", "-std=c++17", "main.ii", "-x", "none", "-o", "main.so", "-O2", "-g", "-fno-var-tracking", "-w", "-fPIC", "-shared", "-nostdlib",
        "-march=native", "-ffp-contract=off", "-fno-exceptions", "-fno-rtti", "-fno-gnu-unique", "-fno-stack-protector", "-fno-threadsafe-statics",
        "-fvisibility=hidden", "-fno-asynchronous-unwind-tables", "-fno-strict-aliasing", "-fmax-errors=20", "-ffile-prefix-map=include/=", "-ffile-prefix-map=" + folder.string() + "/=", "-fdebug-prefix-map=" + folder.string() + "=.",
        "-ffile-prefix-map=" + (library.parent_path() / "include").string() + "/=", library.string(), "-lm", "-lc"};
    if (watched)
        for (const char* argument : {"-fsanitize=thread,alignment,bounds", "--param=tsan-instrument-func-entry-exit=0", "-Wl,--wrap=memcpy",
                                     "-Wl,--wrap=memmove", "-Wl,--wrap=memset"})
            arguments.push_back(argument);
    return arguments;
}

static bool make_object(const fs::path& folder, bool watched, Image& image, std::string& log) {
    if (!run_compiler(folder, object_arguments(folder, watched), log))
        return false;
    const std::string object = content_of(folder / "main.so");
    image.object.assign(object.begin(), object.end());
    image.watched = watched;
    return true;
}

bool compile(const KernelSource& source, const CompilerOptions& options, bool watched, Image& image, std::string& log) {
    const WorkFolder folder;
    const fs::path ours = library_file().parent_path() / "include";
    if (folder.path.empty() || !fs::exists(ours / "emulated" / "prelude.h")) {
        log = "the emulated compiler's own headers are not beside the library, or there is no temporary folder";
        return false;
    }
    write_headers(folder.path, ours, source);
    write_file(folder.path / "main.cu", with_registration(source));
    image.architecture = options.architecture;
    image.portable = options.portable;
    bool made = run_compiler(folder.path, preprocessor_arguments(ours, options), log);
    if (made) {
        image.source = content_of(folder.path / "main.ii");
        made = make_object(folder.path, watched, image, log);
    }
    replace_all(log, "include/", "");
    replace_all(log, ours.string() + "/", "");
    return made;
}

bool rebuild(Image& image, bool watched, std::string& log) {
    const WorkFolder folder;
    write_file(folder.path / "main.ii", image.source);
    return make_object(folder.path, watched, image, log);
}

}
