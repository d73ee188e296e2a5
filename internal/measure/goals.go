package main

// suites are the packages whose benchmarks make the document.
var suites = []suite{}

// goals are the promises of speed, each judged by one metric of one benchmark.
var goals = []goal{}
