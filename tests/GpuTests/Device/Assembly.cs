using XComposer2.Native.GpuTests;
using Xunit;
using Xunit.Sdk;
using Xunit.v3;

// One device, one test at a time: a fault in a kernel must not be blamed on another test.
[assembly: Parallelization(Mode = ParallelMode.None)]
[assembly: AssemblyFixture(typeof(GpuDevice))]
