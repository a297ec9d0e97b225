#include "driver/graph.h"
#include <algorithm>
#include "driver/launch.h"

using namespace emulation;

namespace {

struct Executable {
    std::vector<GraphNode> nodes;
};

std::vector<std::unique_ptr<Graph>> graphs;
std::vector<std::unique_ptr<Executable>> executables;

// A node's handle: the graph's address and the index, kept in a small object for as long as the graph lives.
struct NodeHandle {
    const Graph* graph;
    size_t index;
};

std::vector<std::unique_ptr<NodeHandle>> node_handles;

Graph* find_graph(CUgraph handle) {
    for (const auto& graph : graphs)
        if (graph.get() == (Graph*)handle)
            return graph.get();
    return nullptr;
}

Executable* find_executable(CUgraphExec handle) {
    for (const auto& executable : executables)
        if (executable.get() == (Executable*)handle)
            return executable.get();
    return nullptr;
}

const NodeHandle* find_node(CUgraphNode handle) {
    for (const auto& node : node_handles)
        if (node.get() == (NodeHandle*)handle)
            return node.get();
    return nullptr;
}

CUgraphNode handle_of(const Graph* graph, size_t index) {
    for (const auto& node : node_handles)
        if (node->graph == graph && node->index == index)
            return (CUgraphNode)node.get();
    node_handles.push_back(std::make_unique<NodeHandle>(NodeHandle{graph, index}));
    return (CUgraphNode)node_handles.back().get();
}

CUresult instantiate(CUgraphExec* handle, CUgraph graph_handle) {
    const Graph* graph = find_graph(graph_handle);
    if (graph == nullptr)
        return CUDA_ERROR_INVALID_HANDLE;
    if (handle == nullptr)
        return CUDA_ERROR_INVALID_VALUE;
    executables.push_back(std::make_unique<Executable>(Executable{graph->nodes}));
    *handle = (CUgraphExec)executables.back().get();
    return CUDA_SUCCESS;
}

CUgraphExecUpdateResult compare(const Executable& executable, const Graph& graph, size_t& wrong) {
    wrong = 0;
    if (executable.nodes.size() != graph.nodes.size())
        return CU_GRAPH_EXEC_UPDATE_ERROR_TOPOLOGY_CHANGED;
    for (; wrong < graph.nodes.size(); wrong++) {
        const GraphNode& old = executable.nodes[wrong];
        const GraphNode& now = graph.nodes[wrong];
        if (old.after != now.after)
            return CU_GRAPH_EXEC_UPDATE_ERROR_TOPOLOGY_CHANGED;
        if (old.work->type() != now.work->type())
            return CU_GRAPH_EXEC_UPDATE_ERROR_NODE_TYPE_CHANGED;
    }
    return CU_GRAPH_EXEC_UPDATE_SUCCESS;
}

}

CUgraph emulation::register_graph(std::unique_ptr<Graph> graph) {
    graphs.push_back(std::move(graph));
    return (CUgraph)graphs.back().get();
}

extern "C" {

CUresult cuGraphCreate(CUgraph* graph, unsigned flags) {
    BEGIN_CALL();
    if (graph == nullptr || flags != 0)
        return CUDA_ERROR_INVALID_VALUE;
    *graph = register_graph(std::make_unique<Graph>());
    return CUDA_SUCCESS;
}

CUresult cuGraphInstantiateWithFlags(CUgraphExec* executable, CUgraph graph, unsigned long long) {
    BEGIN_CALL();
    return instantiate(executable, graph);
}

CUresult cuGraphInstantiateWithParams(CUgraphExec* executable, CUgraph graph, CUDA_GRAPH_INSTANTIATE_PARAMS* parameters) {
    BEGIN_CALL();
    if (parameters != nullptr)
        parameters->result_out = 0;
    return instantiate(executable, graph);
}

CUresult cuGraphLaunch(CUgraphExec handle, CUstream stream_handle) {
    BEGIN_CALL();
    Runtime& runtime = Runtime::instance();
    const Executable* executable = find_executable(handle);
    const StreamPointer stream = runtime.find(stream_handle);
    if (executable == nullptr || stream == nullptr)
        return CUDA_ERROR_INVALID_HANDLE;
    auto work = std::make_shared<GraphWork>();
    for (const GraphNode& node : executable->nodes)
        work->nodes.push_back(node.work);
    return runtime.enqueue(stream, std::move(work));
}

CUresult cuGraphUpload(CUgraphExec handle, CUstream stream) {
    BEGIN_CALL();
    return find_executable(handle) == nullptr || Runtime::instance().find(stream) == nullptr ? CUDA_ERROR_INVALID_HANDLE : CUDA_SUCCESS;
}

CUresult cuGraphExecUpdate_v2(CUgraphExec handle, CUgraph graph_handle, CUgraphExecUpdateResultInfo* information) {
    BEGIN_CALL();
    Executable* executable = find_executable(handle);
    const Graph* graph = find_graph(graph_handle);
    if (executable == nullptr || graph == nullptr)
        return CUDA_ERROR_INVALID_HANDLE;
    size_t wrong = 0;
    const CUgraphExecUpdateResult result = compare(*executable, *graph, wrong);
    if (information != nullptr)
        *information = {result, wrong < graph->nodes.size() ? handle_of(graph, wrong) : nullptr, nullptr};
    if (result != CU_GRAPH_EXEC_UPDATE_SUCCESS)
        return CUDA_ERROR_GRAPH_EXEC_UPDATE_FAILURE;
    executable->nodes = graph->nodes;
    return CUDA_SUCCESS;
}

CUresult cuGraphExecDestroy(CUgraphExec handle) {
    BEGIN_CALL();
    const Executable* executable = find_executable(handle);
    if (executable == nullptr)
        return CUDA_ERROR_INVALID_HANDLE;
    executables.erase(std::find_if(executables.begin(), executables.end(), [&](const auto& entry) { return entry.get() == executable; }));
    return CUDA_SUCCESS;
}

CUresult cuGraphDestroy(CUgraph handle) {
    BEGIN_CALL();
    const Graph* graph = find_graph(handle);
    if (graph == nullptr)
        return CUDA_ERROR_INVALID_HANDLE;
    node_handles.erase(std::remove_if(node_handles.begin(), node_handles.end(), [&](const auto& node) { return node->graph == graph; }), node_handles.end());
    graphs.erase(std::find_if(graphs.begin(), graphs.end(), [&](const auto& entry) { return entry.get() == graph; }));
    return CUDA_SUCCESS;
}

CUresult cuGraphGetNodes(CUgraph handle, CUgraphNode* nodes, size_t* count) {
    BEGIN_CALL();
    const Graph* graph = find_graph(handle);
    if (graph == nullptr || count == nullptr)
        return graph == nullptr ? CUDA_ERROR_INVALID_HANDLE : CUDA_ERROR_INVALID_VALUE;
    for (size_t i = 0; nodes != nullptr && i < *count; i++)
        nodes[i] = i < graph->nodes.size() ? handle_of(graph, i) : nullptr;
    *count = nodes == nullptr ? graph->nodes.size() : std::min(*count, graph->nodes.size());
    return CUDA_SUCCESS;
}

CUresult cuGraphGetEdges(CUgraph handle, CUgraphNode* from, CUgraphNode* to, size_t* count) {
    BEGIN_CALL();
    const Graph* graph = find_graph(handle);
    if (graph == nullptr || count == nullptr)
        return graph == nullptr ? CUDA_ERROR_INVALID_HANDLE : CUDA_ERROR_INVALID_VALUE;
    size_t edges = 0;
    for (size_t node = 0; node < graph->nodes.size(); node++)
        for (const size_t before : graph->nodes[node].after) {
            if (from != nullptr && to != nullptr && edges < *count) {
                from[edges] = handle_of(graph, before);
                to[edges] = handle_of(graph, node);
            }
            edges++;
        }
    *count = from == nullptr ? edges : std::min(*count, edges);
    return CUDA_SUCCESS;
}

CUresult cuGraphNodeGetType(CUgraphNode handle, CUgraphNodeType* type) {
    BEGIN_CALL();
    const NodeHandle* node = find_node(handle);
    if (node == nullptr || type == nullptr)
        return CUDA_ERROR_INVALID_VALUE;
    *type = node->graph->nodes[node->index].work->type();
    return CUDA_SUCCESS;
}

CUresult cuGraphKernelNodeGetParams_v2(CUgraphNode handle, CUDA_KERNEL_NODE_PARAMS* parameters) {
    BEGIN_CALL();
    const NodeHandle* node = find_node(handle);
    if (node == nullptr || parameters == nullptr)
        return CUDA_ERROR_INVALID_VALUE;
    const auto* work = dynamic_cast<const KernelWork*>(node->graph->nodes[node->index].work.get());
    if (work == nullptr)
        return CUDA_ERROR_INVALID_VALUE;
    const Launch& launch = work->launch;
    *parameters = {nullptr, launch.grid.x, launch.grid.y, launch.grid.z, launch.block.x, launch.block.y, launch.block.z, launch.dynamic_shared_bytes,
                   const_cast<void**>(work->parameters.data()), nullptr, (CUkernel)work->function, nullptr};
    return CUDA_SUCCESS;
}

CUresult cuGraphExecKernelNodeSetParams_v2(CUgraphExec handle, CUgraphNode node_handle, const CUDA_KERNEL_NODE_PARAMS* parameters) {
    BEGIN_CALL();
    Executable* executable = find_executable(handle);
    const NodeHandle* node = find_node(node_handle);
    if (executable == nullptr)
        return CUDA_ERROR_INVALID_HANDLE;
    if (node == nullptr || parameters == nullptr || node->index >= executable->nodes.size())
        return CUDA_ERROR_INVALID_VALUE;
    GraphNode& target = executable->nodes[node->index];
    const auto* old = dynamic_cast<const KernelWork*>(target.work.get());
    if (old == nullptr)
        return CUDA_ERROR_INVALID_VALUE;
    const CUfunction function = parameters->func != nullptr ? parameters->func : (CUfunction)parameters->kern;
    std::shared_ptr<KernelWork> work;
    const LaunchRequest request{function, {parameters->gridDimX, parameters->gridDimY, parameters->gridDimZ},
                                {parameters->blockDimX, parameters->blockDimY, parameters->blockDimZ}, parameters->sharedMemBytes,
                                parameters->kernelParams, parameters->extra, nullptr, 0};
    if (const CUresult refused = make_kernel_work(request, work))
        return refused;
    work->launch.overlaps_previous = old->launch.overlaps_previous;
    target.work = std::move(work);
    return CUDA_SUCCESS;
}

CUresult cuGraphAddKernelNode_v2(CUgraphNode* node, CUgraph handle, const CUgraphNode* after, size_t count, const CUDA_KERNEL_NODE_PARAMS* parameters) {
    BEGIN_CALL();
    Graph* graph = find_graph(handle);
    if (graph == nullptr || node == nullptr || parameters == nullptr)
        return CUDA_ERROR_INVALID_VALUE;
    std::shared_ptr<KernelWork> work;
    const LaunchRequest request{parameters->func != nullptr ? parameters->func : (CUfunction)parameters->kern,
                                {parameters->gridDimX, parameters->gridDimY, parameters->gridDimZ},
                                {parameters->blockDimX, parameters->blockDimY, parameters->blockDimZ}, parameters->sharedMemBytes,
                                parameters->kernelParams, parameters->extra, nullptr, 0};
    if (const CUresult refused = make_kernel_work(request, work))
        return refused;
    GraphNode made{std::move(work), {}};
    for (size_t i = 0; i < count; i++) {
        const NodeHandle* before = find_node(after[i]);
        if (before == nullptr || before->graph != graph)
            return CUDA_ERROR_INVALID_VALUE;
        made.after.push_back(before->index);
    }
    graph->nodes.push_back(std::move(made));
    *node = handle_of(graph, graph->nodes.size() - 1);
    return CUDA_SUCCESS;
}

}
